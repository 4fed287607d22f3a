"""Plan: an open budget becomes trials - the points of the grid, or points that Optuna's sampler draws."""

import itertools
import math

from sqlalchemy import Connection

from search_spaces.grids import count_grid, grid_points, off_point, point_key
from search_spaces.ranges import Interval
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.coordinator.desk import Desk, OwnedStudy
from service.database import queries_studies as study_rows
from service.database import queries_trials as trial_rows
from service.database import queries_work as work
from service.database.engine import now
from service.database.queries_trials import PlannedPoint

MAX_DRAWS = 10
MAX_DRAWS_FROM_LEVELS = 3
"""Draws for one new point before the first unseen one is taken, where the space can be enumerated."""
MAX_POINTS_AT_ONCE = 16


def plan(desk: Desk, study: OwnedStudy) -> None:
    """Plans as many trials as can be trained soon, never more than the budget; closes the plan when it is used up.

    Raises:
        LeaseLostError: The study is no longer ours; nothing was planned.
    """
    with desk.database.read() as connection:
        row = desk.row(connection, study)
        too_late = _is_too_late(connection, study.spec, row["started_at"])
        wanted = 0 if row["planned"] else _n_wanted(connection, desk, study)
    if too_late:
        _close_for_time(desk, study, open_plan=not row["planned"])
    elif row["planned"]:
        return
    elif study.spec.search.sampler == "grid":
        _plan_grid(desk, study)
    elif wanted > 0:
        _plan_drawn(desk, study, wanted)


def _is_too_late(connection: Connection, spec: StudySpec, started_at: float | None) -> bool:
    limit = spec.budget.max_seconds
    return limit is not None and started_at is not None and now(connection) - started_at > limit


def _close_for_time(desk: Desk, study: OwnedStudy, *, open_plan: bool) -> None:
    """Ends planning, and gives up what nothing trains yet; what is under way ends by itself."""
    reason = f"the budget of {study.spec.budget.max_seconds:g} seconds was used up"
    with desk.write(study) as connection:
        waiting = work.count_queued(connection, study.id)
        if waiting or open_plan:
            study_rows.cancel_open(connection, study.id, states=("queued",), reason=reason)
            study_rows.change_study(connection, study.id, planned=True, reason=reason)


def _plan_grid(desk: Desk, study: OwnedStudy) -> None:
    with desk.write(study) as connection:
        budget = _budget(desk, connection, study)
        points = [PlannedPoint(point, "grid") for point in itertools.islice(grid_points(study.spec), budget)]
        _add(connection, study, points, budget)
        study_rows.change_study(connection, study.id, planned=True)


def _budget(desk: Desk, connection: Connection, study: OwnedStudy) -> int:
    """Trials that the study is to plan by itself, as the ledger has it now: users may change it at any time."""
    asked = desk.row(connection, study)["spec"]["budget"]["trials"]
    total = count_grid(study.spec) if study.spec.search.sampler == "grid" else asked or 0
    return total if asked is None else min(total, int(asked))


def _add(connection: Connection, study: OwnedStudy, points: list[PlannedPoint], budget: int) -> list[PlannedPoint]:
    seeds = range(study.spec.seed, study.spec.seed + study.spec.budget.replicates)
    return trial_rows.plan_trials(connection, study.id, points, seeds, budget=budget)


def _n_wanted(connection: Connection, desk: Desk, study: OwnedStudy) -> int:
    """Points to plan now: what fills a cohort for each slot and one more, so that a learning sampler can learn."""
    n_open, _ = work.count_open(connection, study.id)
    ahead = (desk.executor.n_slots + 1) * math.ceil(study.lanes_per_cohort / study.spec.budget.replicates)
    left = _budget(desk, connection, study) - trial_rows.count_budgeted(connection, study.id)
    return min(left, ahead - n_open, MAX_POINTS_AT_ONCE) if left > 0 else 1


def _plan_drawn(desk: Desk, study: OwnedStudy, wanted: int) -> None:
    with desk.database.read() as connection:
        keys = trial_rows.existing_keys(connection, study.id)
        n_planned = trial_rows.count_budgeted(connection, study.id)
        budget = _budget(desk, connection, study)
    points: list[PlannedPoint] = []
    wanted = min(wanted, budget - n_planned)
    while len(points) < wanted:
        point = _next_point(desk, study, n_planned + len(points), keys)
        if point is None:
            break
        keys.add(point_key(point.point))
        points.append(point)
    exhausted = len(points) < wanted
    with desk.write(study) as connection:
        budget = _budget(desk, connection, study)
        added = _add(connection, study, points, budget)
        n_now = trial_rows.count_budgeted(connection, study.id)
        if exhausted and n_now < budget:
            reason = f"no new point was found; {n_now} of {budget} trials were planned"
            study_rows.change_study(connection, study.id, planned=True, reason=reason)
        elif n_now >= budget:
            study_rows.change_study(connection, study.id, planned=True)
    for point in points:
        if point not in added:
            desk.twin(study).discard(point.point)


def _next_point(desk: Desk, study: OwnedStudy, number: int, keys: set[str]) -> PlannedPoint | None:
    """The baseline first, then what the sampler draws, then what it never draws; None if there is nothing new."""
    spec, twin = study.spec, desk.twin(study)
    if number == 0:
        baseline = off_point(spec)
        if baseline is not None and point_key(baseline) not in keys:
            twin.start(baseline)
            return PlannedPoint(baseline, "baseline")
    countable = _is_countable(spec)
    for attempt in range(MAX_DRAWS_FROM_LEVELS if countable else MAX_DRAWS):
        if countable and len(keys) >= count_grid(spec) and _first_new(spec, keys) is None:
            return None
        drawn = twin.draw(number, attempt, keys)
        if drawn is not None:
            return PlannedPoint(drawn, "sampler")
    unseen = _first_new(spec, keys) if countable else None
    if unseen is None:
        return None
    twin.start(unseen)
    return PlannedPoint(unseen, "sampler")


def _is_countable(spec: StudySpec) -> bool:
    return all(
        not isinstance(asked, Interval) or asked.step is not None
        for _, regularizer in spec.regularizers.items()
        for _, _, asked in regularizer.ranges()
    )


def _first_new(spec: StudySpec, keys: set[str]) -> Point | None:
    return next((point for point in grid_points(spec) if point_key(point) not in keys), None)
