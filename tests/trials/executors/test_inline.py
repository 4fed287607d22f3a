import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.trials.executors.cohorts import make_cohort, next_event
from tests.trials.executors.training_functions import behave
from trials.executors.inline import InlineExecutor
from trials.protocol import Cohort, CohortFinished, SegmentReport, Verdicts


def test_one_poll_trains_one_segment() -> None:
    trained: list[str] = []

    def train(cohort: Cohort, datasets_dir: Path) -> Generator[SegmentReport, Verdicts, CohortFinished]:
        steps = behave(cohort, datasets_dir)
        trained.append("first")
        verdicts = yield next(steps)
        trained.append("second")
        yield steps.send(verdicts)
        return CohortFinished(cohort_id=cohort.cohort_id)

    executor = InlineExecutor(train, Path())
    executor.submit(make_cohort())
    assert trained == []

    executor.poll(0.0)

    assert trained == ["first"]


def test_an_idle_poll_waits_instead_of_spinning() -> None:
    started = time.monotonic()

    assert InlineExecutor(behave, Path()).poll(0.05) == []

    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize("way", ["cancel", "close"])
def test_training_that_is_dropped_is_closed(way: str) -> None:
    closed: list[bool] = []

    def train(cohort: Cohort, datasets_dir: Path) -> Generator[SegmentReport, Verdicts, CohortFinished]:
        try:
            return (yield from behave(cohort, datasets_dir))
        finally:
            closed.append(True)

    executor = InlineExecutor(train, Path())
    cohort = make_cohort()
    executor.submit(cohort)
    next_event(executor)

    if way == "cancel":
        executor.cancel(cohort.cohort_id)
    else:
        executor.close()

    assert closed == [True]
