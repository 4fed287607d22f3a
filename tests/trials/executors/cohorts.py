"""Cohorts for executors to train, and the conversation that trains them."""

import time
from collections import deque
from collections.abc import Callable
from itertools import count
from weakref import WeakKeyDictionary

from search_spaces.datasets import NamedRef
from search_spaces.models import MLP
from search_spaces.spec import Evaluation, Training
from search_spaces.values import Point
from trials.executors.base import Executor
from trials.protocol import Cohort, CohortLost, Event, Lane, Reader, SegmentReport, Verdicts

TIMEOUT_SECONDS = 60.0

_numbers = count()


def make_cohort(
    *settings: Point, behaviour: str = "", dataset: str = "digits", epochs: int = 3, max_seconds: float | None = None
) -> Cohort:
    """A cohort with a lane for each setting; lane and replicate ids are 0, 1, …

    `behaviour` names what `training_functions.behave` does.
    """
    return Cohort(
        cohort_id=f"cohort-{next(_numbers)}",
        study_id=behaviour,
        dataset=NamedRef(name=dataset),
        model=MLP(hidden_units=(8,)),
        preprocessing="scale",
        evaluation=Evaluation(),
        training=Training(epochs=epochs, batch_size=128),
        grafts=("dropout",),
        max_seconds=max_seconds,
        lanes=tuple(
            Lane(lane_id=i, seed=i, settings=setting, readers=(Reader(replicate_id=i),))
            for i, setting in enumerate(settings or ({},))
        ),
    )


_unread: WeakKeyDictionary[Executor, deque[Event]] = WeakKeyDictionary()


def next_event(executor: Executor) -> Event:
    """The next event, however long it takes within reason."""
    unread = _unread.setdefault(executor, deque())
    until = time.monotonic() + TIMEOUT_SECONDS
    while not unread and time.monotonic() < until:
        unread.extend(executor.poll(1.0))
    assert unread, f"no event within {TIMEOUT_SECONDS} s"
    return unread.popleft()


def next_report(executor: Executor) -> SegmentReport:
    """The next event, which is a report."""
    event = next_event(executor)
    assert isinstance(event, SegmentReport), event
    return event


def next_loss(executor: Executor) -> CohortLost:
    """The next event, which is the loss of a cohort."""
    event = next_event(executor)
    assert isinstance(event, CohortLost), event
    return event


def wait_until_free(executor: Executor) -> None:
    """Lets cancelled cohorts end, and forgets what was said meanwhile."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while executor.free_slots() < executor.n_slots and time.monotonic() < until:
        executor.poll(0.1)
    executor.poll(0.0)
    _unread.pop(executor, None)


def converse(
    executor: Executor, cohort: Cohort, stop: Callable[[SegmentReport], tuple[int, ...]] = lambda _: ()
) -> list[Event]:
    """Submits a cohort and answers its reports until it ends; all its events."""
    executor.submit(cohort)
    events = [next_event(executor)]
    while isinstance(report := events[-1], SegmentReport):
        executor.answer(Verdicts(cohort_id=cohort.cohort_id, stop=stop(report)))
        events.append(next_event(executor))
    return events
