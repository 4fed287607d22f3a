"""Groups queued replicates into cohorts: lanes that one compiled program trains side by side. Pure functions."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from search_spaces.grids import count_grid, point_key, settings
from search_spaces.regularizers.base import first_value
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from trials.early_stopping import StoppingRule
from trials.protocol import Cohort, Lane, Reader

T = TypeVar("T")

MAX_LANES = 32
COHORTS_PER_SLOT = 4
BATCHES_OF_ADAPTIVE_SEARCH = 10
"""A sampler that learns sees results after about a tenth of its budget each."""

MAX_STARTS = 100
"""Starts of early stopping that one program is told."""

STOPPING = "early_stopping"


@dataclass(frozen=True)
class QueuedReplicate:
    """A replicate that waits to be trained. `losses` counts the losses of training that its trial may have caused."""

    replicate_id: int
    trial_number: int
    seed: int
    point: Point
    losses: int = 0


@dataclass(frozen=True)
class CohortSize:
    """How many lanes a cohort aims at, and how many it may have at most."""

    target: int
    most: int = MAX_LANES


@dataclass(frozen=True)
class _Training:
    """Replicates that train identically and share a lane."""

    settings: Point
    structure: Point
    seed: int
    readers: tuple[Reader, ...]


def group(
    study_id: str, spec: StudySpec, queued: Sequence[QueuedReplicate], *, size: CohortSize, prefix: str
) -> list[Cohort]:
    """Cohorts for all that is queued, in the order in which it should be trained.

    Replicates that differ in early stopping alone share a lane and read its curve by their own rules. A trial under
    which training was lost before is kept apart, so that it cannot take others with it again; after a second loss each
    of its lanes is alone.

    Args:
        study_id: The study.
        spec: What it asks.
        queued: Replicates in the order of trial number and seed.
        size: Lanes to aim at (`lanes_per_cohort`), and the most that memory has room for.
        prefix: Makes the cohorts' ids unique.
    """
    sound = [replicate for replicate in queued if not replicate.losses]
    parts = list(_parts(spec, sound, size))
    for _, suspects in _by((r.trial_number, r) for r in queued if r.losses):
        lanes = _trainings(spec, suspects)
        most = 1 if suspects[0].losses > 1 else size.most
        parts.extend(lanes[start : start + most] for start in range(0, len(lanes), most))
    return [_cohort(f"{prefix}-{index}", study_id, spec, part) for index, part in enumerate(parts)]


def lanes_per_cohort(spec: StudySpec, n_slots: int) -> int:
    """How many lanes a cohort should have so that every slot gets a few cohorts over the study; from 1 to 32."""
    total = count_lanes(spec)
    target = math.ceil(total / (COHORTS_PER_SLOT * n_slots))
    if spec.search.sampler == "tpe" and spec.budget.trials is not None:
        target = min(target, math.ceil(spec.budget.trials / BATCHES_OF_ADAPTIVE_SEARCH) * spec.budget.replicates)
    return max(1, min(target, MAX_LANES))


def count_lanes(spec: StudySpec) -> int:
    """Trainings that a whole study takes; a sampler's points are counted as if none shared a lane."""
    trials = spec.budget.trials
    if spec.search.sampler == "grid":
        total = count_grid(spec)
        replayed = spec.patience.model_copy(update={"optional": False}) if spec.patience else None
        shared = math.prod(len(asked.levels() or ()) for _, _, asked in replayed.ranges()) if replayed else 1
        n_points = total if trials is None else min(total, trials)
        if trials is None or trials >= total:
            options = shared + (1 if spec.patience and spec.patience.optional else 0)
            n_points = total // options
        trials = n_points
    return (trials or 1) * spec.budget.replicates


def _parts(spec: StudySpec, queued: Sequence[QueuedReplicate], size: CohortSize) -> Iterator[list[_Training]]:
    trainings = _trainings(spec, queued)
    target = min(size.target, size.most)
    for _, alike in _by((point_key(training.structure), training) for training in trainings):
        part: list[_Training] = []
        for _, family in _by((point_key(training.settings), training) for training in alike):
            if part and len(part) + len(family) > target:
                yield part
                part = []
            chunks = list(_even(family, size.most if spec.search.pruner != "none" else target))
            yield from chunks[:-1]
            part += chunks[-1]
            if len(part) >= target:
                yield part
                part = []
        if part:
            yield part


def _even(family: list[_Training], most: int) -> Iterator[list[_Training]]:
    """Parts of nearly equal size, none above `most`: a trial that is too large for one cohort."""
    n_parts = math.ceil(len(family) / most)
    size = math.ceil(len(family) / n_parts)
    for start in range(0, len(family), size):
        yield family[start : start + size]


def _trainings(spec: StudySpec, queued: Iterable[QueuedReplicate]) -> list[_Training]:
    shared: dict[tuple[str, int], _Training] = {}
    for replicate in queued:
        complete = settings(spec, replicate.point)
        trained = {key: value for key, value in complete.items() if not key.startswith(f"{STOPPING}.")}
        key = (point_key(trained), replicate.seed)
        reader = Reader(replicate_id=replicate.replicate_id, rule=_rule(spec, complete))
        known = shared.get(key)
        readers = (*known.readers, reader) if known else (reader,)
        shared[key] = _Training(trained, _structure(spec, complete), replicate.seed, readers)
    return list(shared.values())


def _rule(spec: StudySpec, complete: Point) -> StoppingRule | None:
    asked = spec.patience
    patience = complete.get(f"{STOPPING}.patience")
    if asked is None or patience is None:
        return None
    return StoppingRule(
        patience=int(patience),
        min_delta=float(complete.get(f"{STOPPING}.min_delta", 0.0)),
        start_epoch=int(complete.get(f"{STOPPING}.start_epoch", 0)),
        monitor=asked.monitor,
        restore_best=asked.restore_best,
    )


def _starts(spec: StudySpec) -> tuple[int, ...]:
    """The epochs at which the study's rules may begin to look, where they can be counted."""
    levels = spec.patience.start_epoch.levels() if spec.patience else None
    return tuple(sorted({int(level) for level in levels or ()}))[:MAX_STARTS]


def _structure(spec: StudySpec, complete: Point) -> Point:
    """The structural knobs; where a regularizer is off they say so, or do not matter and take what others have too."""
    return {
        f"{name}.{knob_name}": complete.get(f"{name}.{knob_name}", first_value(asked) if knob.off is None else knob.off)
        for name, regularizer in spec.regularizers.items()
        for knob_name, knob, asked in regularizer.ranges()
        if knob.role == "structural"
    }


def _cohort(cohort_id: str, study_id: str, spec: StudySpec, trainings: Sequence[_Training]) -> Cohort:
    return Cohort(
        cohort_id=cohort_id,
        study_id=study_id,
        dataset=spec.dataset,
        model=spec.model,
        preprocessing=spec.preprocessing,
        evaluation=spec.evaluation,
        training=spec.training,
        split_seed=spec.seed,
        grafts=tuple(name for name, _ in spec.regularizers.items() if name != STOPPING),
        structure=trainings[0].structure,
        monitor=spec.patience.monitor if spec.patience and spec.patience.restore_best else None,
        monitor_starts=_starts(spec),
        lanes=tuple(
            Lane(lane_id=index, seed=training.seed, settings=training.settings, readers=training.readers)
            for index, training in enumerate(trainings)
        ),
    )


def _by(pairs: Iterable[tuple[object, T]]) -> list[tuple[object, list[T]]]:
    groups: dict[object, list[T]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return list(groups.items())
