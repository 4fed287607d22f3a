"""The training actor: one slot of a cluster. It stands on a node and watches one training process there."""

import os
from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple

import ray

from trials.executors.cluster.messages import Setup
from trials.executors.cluster.node import NodeSlot, node_folder
from trials.executors.places import VISIBLE, Place
from trials.executors.processes import ProcessesExecutor
from trials.executors.wire import EVENTS
from trials.protocol import Cohort, CohortRefused, Event, Verdicts

POLL_SECONDS = 1.0


class DatasetFile(NamedTuple):
    """A `NAME.npz` of the coordinator's.

    Attributes:
        name: The dataset's name.
        digest: Identifies the content.
        content: A reference to the bytes, in a list so that Ray does not fetch them before they are asked for.
    """

    name: str
    digest: str
    content: list[Any]


def _without_lonely_checkpoints(cohort: Cohort) -> Cohort:
    """Keeps no states of lanes where nodes share no folder for them: nobody could continue from them, or clear them."""
    folder = cohort.checkpoints_dir
    return cohort if folder is None or folder.parent.is_dir() else cohort.model_copy(update={"checkpoints_dir": None})


class TrainingActor:
    """Trains one cohort at a time in a child process, which ends with this one.

    Calls return an event as JSON: a segment's report, or how the cohort ended. The child's limits, its aborts, hangs
    and exhausted memory are found out here, next to it, as they are on a single machine.

    Args:
        setup: The driver's `Setup`, as JSON.
        on_gpu: Whether this actor has a GPU, which Ray has named in `CUDA_VISIBLE_DEVICES`.
    """

    def __init__(self, setup: str, *, on_gpu: bool) -> None:
        asked = Setup.model_validate_json(setup)
        self._coordinators_dir = asked.datasets_dir
        self._unread: deque[Event] = deque()
        self._slot = NodeSlot(node_folder())
        self._executor = ProcessesExecutor(
            replace(asked.trainer, datasets_dir=self._slot.datasets_dir),
            places=[Place(gpu=os.environ[VISIBLE]) if on_gpu else Place(core=self._slot.core)],
            limits=asked.limits,
            logs_dir=self._slot.folder,
        )

    def ready(self) -> int:
        """Answers once the actor stands; its process id."""
        return os.getpid()

    def train(self, cohort: str, dataset: DatasetFile | None) -> str:
        """Starts a cohort.

        Args:
            cohort: The cohort, as JSON.
            dataset: The file it is trained on; None where the coordinator has none of that name.

        Returns:
            Its first event.
        """
        asked = Cohort.model_validate_json(cohort)
        if dataset is None:
            self._slot.withhold(asked.dataset.name)
        else:
            [content] = dataset.content
            self._slot.provide(dataset.name, dataset.digest, lambda: memoryview(ray.get(content)))
        self._executor.submit(_without_lonely_checkpoints(asked))
        return self._next_event()

    def resume(self, verdicts: str) -> str:
        """Answers the last report.

        Returns:
            The next event.
        """
        self._executor.answer(Verdicts.model_validate_json(verdicts))
        return self._next_event()

    def _next_event(self) -> str:
        while not self._unread:  # a report and the end by a deadline may come together
            self._unread.extend(self._executor.poll(POLL_SECONDS))
        return EVENTS.dump_json(self._told_from_afar(self._unread.popleft())).decode()

    def _told_from_afar(self, event: Event) -> Event:
        """A refusal names the coordinator's folder, where a missing file is to be put, and not this node's."""
        if not isinstance(event, CohortRefused):
            return event
        here, there = str(self._slot.datasets_dir.resolve()), str(self._coordinators_dir)
        return event.model_copy(update={"reason": event.reason.replace(here, there)})
