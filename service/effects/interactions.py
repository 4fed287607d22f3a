"""Does one regularizer change what another does? Test accuracy in each measured pair of levels."""

import itertools
from collections.abc import Sequence

import pandas as pd

from service.effects.dose_response import NOTHING
from service.effects.intervals import interval_over_seeds
from service.effects.levels import Levels
from service.effects.view import Interaction, InteractionCell


def interactions(levels: Sequence[Levels]) -> list[Interaction]:
    """The measured cells of every pair of regularizers that both have two levels or more."""
    varied = [one for one in levels if len(one.levels) > 1]
    return [_interaction(first, second) for first, second in itertools.combinations(varied, 2)]


def _interaction(first: Levels, second: Levels) -> Interaction:
    width = len(second.levels)
    rows = first.rows.assign(pair=first.rows["level"] * width + second.rows["level"])
    test = interval_over_seeds(rows, "pair", "test_accuracy")
    counts = rows.groupby("pair").agg(n=("seed", "size"), n_seeds=("seed", "nunique"))
    return Interaction(
        first=first.name,
        first_levels=_labels(first),
        second=second.name,
        second_levels=_labels(second),
        cells=[
            InteractionCell(
                first=first.levels[pair // width].label,
                second=second.levels[pair % width].label,
                n=n,
                n_seeds=n_seeds,
                test_accuracy=test.get(pair, NOTHING),
            )
            for pair, n, n_seeds in zip(*_columns(counts), strict=True)
        ],
    )


def _labels(levels: Levels) -> list[str]:
    return [level.label for level in levels.levels]


def _columns(counts: pd.DataFrame) -> tuple[list[int], list[int], list[int]]:
    return counts.index.tolist(), counts["n"].tolist(), counts["n_seeds"].tolist()
