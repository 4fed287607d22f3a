"""Does a level differ from off, and by how much? Pairs of equal seed at otherwise equal points; Holm over the study."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from service.effects.intervals import SAME, Floats, Tested, tested_difference, tested_mean
from service.effects.levels import Levels
from service.effects.view import Difference

MEASURES = ["test_accuracy", "validation_accuracy"]

MIN_SHARE_OF_PAIRED_CELLS = 0.5


def differences_from_reference(levels: Levels) -> dict[int, Difference]:
    """The difference of each level from the reference, by the level's index; p-values not yet adjusted.

    In a design with pairs (a grid) only they count: differences are averaged over cells for each seed and tested over
    seeds. Without (points drawn at random, where a few pairs arise by accident), means of trials are compared by
    Welch's test. A level without test accuracies, on its side or the reference's, is left out.
    """
    rows = levels.rows.dropna(subset=["test_accuracy"])
    found: dict[int, Difference] = {}
    off = rows[rows["level"] == levels.reference]
    if off.empty:
        return found
    for index in range(len(levels.levels)):
        level = rows[rows["level"] == index]
        if index == levels.reference or level.empty:
            continue
        pairs = _pairs(level, off)
        found[index] = _unpaired(level, off) if pairs.empty or not _designed(level, off) else _paired(pairs)
    return found


def _designed(level: pd.DataFrame, off: pd.DataFrame) -> bool:
    """Whether at least half of the cells that could have pairs do, or there are too few trials for anything else."""
    cells, cells_off = set(level["cell"]), set(off["cell"])
    if min(level["trial"].nunique(), off["trial"].nunique()) < 2:
        return True
    return len(cells & cells_off) >= MIN_SHARE_OF_PAIRED_CELLS * min(len(cells), len(cells_off))


def _pairs(level: pd.DataFrame, off: pd.DataFrame) -> pd.DataFrame:
    means, means_off = (side.groupby(["cell", "seed"], as_index=False)[MEASURES].mean() for side in (level, off))
    pairs = means.merge(means_off, on=["cell", "seed"], suffixes=("", "_off"))
    return pairs.assign(
        test=pairs["test_accuracy"] - pairs["test_accuracy_off"],
        validation=pairs["validation_accuracy"] - pairs["validation_accuracy_off"],
    )


def _paired(pairs: pd.DataFrame) -> Difference:
    per_seed = pairs.groupby("seed")[["test", "validation"]].mean()
    values = per_seed["test"].to_numpy(dtype=float)
    single = pairs["test"].to_numpy(dtype=float)
    better = np.where(np.abs(single) <= SAME, 0.5, single > 0)
    return _difference(
        values.mean(),
        tested_mean(values),
        validation=float(per_seed["validation"].mean()),
        probability_better=float(better.mean()),
        paired=True,
        n_pairs=single.size,
        n_seeds=values.size,
    )


def _unpaired(level: pd.DataFrame, off: pd.DataFrame) -> Difference:
    trials, trials_off = (side.groupby("trial")[MEASURES].mean() for side in (level, off))
    first, second = (side["test_accuracy"].to_numpy(dtype=float) for side in (trials, trials_off))
    u = stats.mannwhitneyu(first, second, method="asymptotic").statistic if _spread(first, second) else None
    return _difference(
        first.mean() - second.mean(),
        tested_difference(first, second),
        validation=float(trials["validation_accuracy"].mean() - trials_off["validation_accuracy"].mean()),
        probability_better=0.5 if u is None else float(u) / (first.size * second.size),
        paired=False,
        n_pairs=first.size,
        n_seeds=level["seed"].nunique(),
        n_reference=second.size,
    )


def _spread(first: Floats, second: Floats) -> bool:
    return bool(np.ptp(np.concatenate([first, second])) > SAME)


def _difference(
    mean: float,
    tested: Tested,
    *,
    validation: float,
    probability_better: float,
    paired: bool,
    n_pairs: int,
    n_seeds: int,
    n_reference: int | None = None,
) -> Difference:
    return Difference(
        mean=float(mean),
        low=tested.low,
        high=tested.high,
        p_value=tested.p_value,
        probability_better=probability_better,
        paired=paired,
        n_pairs=n_pairs,
        n_seeds=n_seeds,
        n_reference=n_reference,
        validation_mean=None if np.isnan(validation) else validation,
    )


def adjusted(found: Sequence[dict[int, Difference]]) -> list[dict[int, Difference]]:
    """The differences with p-values adjusted over all regularizers and levels of the study.

    References:
        Holm, 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    raw = [d.p_value for differences in found for d in differences.values() if d.p_value is not None]
    holm = iter(multipletests(raw, method="holm")[1].tolist() if raw else ())
    return [
        {
            index: d if d.p_value is None else d.model_copy(update={"p_value_holm": next(holm)})
            for index, d in differences.items()
        }
        for differences in found
    ]
