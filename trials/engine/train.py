"""train_cohort(): the lanes of a cohort from their first epoch to their last, segment by segment."""

import resource
import time
from collections import deque
from collections.abc import Generator

import keras

from trials.checkpoints import Checkpoints
from trials.datasets.dataset import Dataset
from trials.engine.lanes import ActiveLane
from trials.engine.training_program import TrainingProgram, training_program
from trials.protocol import Cohort, CohortFinished, SegmentReport, Verdicts

SEGMENT_SECONDS = 2.0
"""A segment's length is steered towards this."""

MAX_GROWTH = 8
"""A segment has at most so many times the epochs of the one before."""


def train_cohort(
    cohort: Cohort, data: Dataset, model: keras.Model
) -> Generator[SegmentReport, Verdicts, CohortFinished]:
    """Trains every lane of a cohort.

    Lanes fill the program's slots in order; a lane that ends makes room for the next at a segment's end. What a lane
    computes depends on its settings and seed alone, not on its neighbours or on the segments' lengths.

    Args:
        cohort: What to train.
        data: The dataset it names, preprocessed and split.
        model: A Keras model of the family it names, of one input and one output, the logits; used only if no compiled
            program fits, and then changed: use it no more.

    Yields:
        A report per segment; send the verdicts.

    Returns:
        The cohort's end, with the number of compilations that it cost.

    Raises:
        InfeasibleCohortError: A regularizer finds no place in the model, or the model has several inputs or outputs, a
            training step of its own, or a layer that the backend cannot run.
    """
    training = training_program(cohort, data, model)
    before = training.program.compilations
    checkpoints = Checkpoints(cohort.checkpoints_dir, training.identity)
    queued, active = deque(cohort.lanes), list[ActiveLane]()
    segment_epochs = 1
    while queued or active:
        while queued and len(active) < training.program.plan.n_slots:
            lane = queued.popleft()
            active.append(training.start(lane, checkpoints.load(lane)))
        started = time.monotonic()
        compiled = training.program.compilations
        segment_epochs = _segment_epochs(training, len(active), segment_epochs)
        training.advance(active, segment_epochs)
        seconds = time.monotonic() - started
        if training.program.compilations == compiled:
            training.seconds_per_epoch = seconds / (segment_epochs * len(active))
        verdicts = yield SegmentReport(
            cohort_id=cohort.cohort_id,
            lanes=tuple(lane.report(cohort.training.epochs) for lane in active),
            seconds=seconds,
            peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            trained_by=training.program.trained_by,
        )
        for trained in active:
            trained.stop(verdicts.stop)
            if not trained.open_readers:
                checkpoints.discard(trained.lane)
        active = [trained for trained in active if trained.open_readers]
        checkpoints.save(((trained.lane, trained.kept) for trained in active), seconds)
    return CohortFinished(cohort_id=cohort.cohort_id, compilations=training.program.compilations - before)


def _segment_epochs(training: TrainingProgram, n_lanes: int, previous: int) -> int:
    if training.seconds_per_epoch is None:
        return 1
    wanted = SEGMENT_SECONDS / max(training.seconds_per_epoch * n_lanes, 1e-9)
    return int(max(1, min(wanted, previous * MAX_GROWTH, training.program.plan.segment_capacity)))
