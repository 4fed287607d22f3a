"""Which trial to use: the best on validation data, and the most regularized one that is as good within its error."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import pandas as pd

from service.effects.dose_response import NOTHING
from service.effects.frame import Measured, column_of
from service.effects.intervals import interval_over_seeds
from service.effects.levels import Levels
from service.effects.view import Best, MeanInterval, Pick


@dataclass(frozen=True, kw_only=True)
class Picks:
    """The two trials; None where no replicate has the objective."""

    best: Best | None = None
    one_standard_error: Pick | None = None


def picks(data: Measured, levels: Iterable[Levels]) -> Picks:
    """Picks two trials by the mean of the study's objective over seeds.

    Trials that are not complete yet take part only while no trial is complete: a single lucky replicate would win.
    Within one standard error of the best, the trial with the strongest regularization is the second pick; with one
    seed the standard error is unknown and the second pick is the best itself.

    References:
        Breiman, Friedman, Olshen and Stone, 1984, Classification and regression trees, section 3.4.3.
    """
    objective = data.spec.objective
    column = column_of(objective.metric)
    rows = data.rows.dropna(subset=[column])
    rows = rows[rows["ended"]] if rows["ended"].any() else rows
    if rows.empty:
        return Picks()
    sign = 1.0 if objective.direction == "maximize" else -1.0
    scores = rows.groupby("trial")[column].agg(["mean", "sem", "size"])
    scores = scores.assign(gain=sign * scores["mean"], strength=pd.Series(_strengths(data, levels)))
    winner = scores.sort_values("gain", ascending=False, kind="stable").iloc[0]
    error = None if pd.isna(winner["sem"]) else float(winner["sem"])
    near = scores[scores["gain"] >= winner["gain"] - (error or 0.0)]
    if error is None:
        near = near.loc[[winner.name]]
    simple = near.sort_values(["strength", "gain"], ascending=False, kind="stable").iloc[0]
    best = _pick(data, rows, winner)
    validation, test = best.validation_accuracy.mean, best.test_accuracy.mean
    return Picks(
        best=Best(
            **dict(best),
            objective=objective.metric,
            objective_mean=float(winner["mean"]),
            objective_standard_error=error,
            selection_optimism=None if validation is None or test is None else validation - test,
        ),
        one_standard_error=_pick(data, rows, simple),
    )


def _pick(data: Measured, rows: pd.DataFrame, score: "pd.Series[float]") -> Pick:
    number = int(str(score.name))
    mine = rows[rows["trial"] == number]
    return Pick(
        trial=number,
        parameters=data.points[number],
        n=len(mine),
        regularization=float(score["strength"]),
        validation_accuracy=_interval(mine, number, "validation_accuracy"),
        test_accuracy=_interval(mine, number, "test_accuracy"),
    )


def _interval(rows: pd.DataFrame, number: Hashable, measure: str) -> MeanInterval:
    return interval_over_seeds(rows, "trial", measure).get(number, NOTHING)


def _strengths(data: Measured, levels: Iterable[Levels]) -> dict[int, float]:
    """Mean strength of each trial's regularizers: 0 where off, else the rank of the dose among the study's doses."""
    found = [_strength(one) for one in levels]
    return {number: sum(s[number] for s in found) / len(found) if found else 0.0 for number in data.points}


def _strength(levels: Levels) -> dict[int, float]:
    """Words have no order: every policy counts as full strength. The smaller a patience, the stronger it is."""
    n_off = sum(level.is_off for level in levels.levels)
    n_doses = len(levels.levels) - n_off
    found = {}
    for number, index in levels.rows.groupby("trial")["level"].first().items():
        rank = int(index) - n_off
        if levels.name == "early_stopping":
            rank = n_doses - 1 - rank
        on = index >= n_off
        found[int(str(number))] = ((rank + 1) / n_doses if levels.kind != "category" else 1.0) if on else 0.0
    return found
