"""Conducts cohorts on a cluster: finds each an actor, carries its reports and verdicts, tells how it ended."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import ray
from pydantic import ValidationError
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from trials.errors import reason_of, shorten
from trials.executors.cluster.actor import TrainingActor
from trials.executors.cluster.datasets import ClusterDatasets
from trials.executors.cluster.messages import Capacity, News, Setup
from trials.executors.cluster.pool import ActorPool, ActorSlot, NoActorError
from trials.executors.processes import program_key
from trials.executors.wire import EVENTS
from trials.protocol import Cohort, CohortLost, Event, LossCause, SegmentReport, Verdicts

LOOK_SECONDS = 1.0
"""Between two looks at what the cluster has."""

IDLE_SECONDS = 60.0
"""After so long without a cohort the cluster gets its room back."""

GRACE_SECONDS = 30.0
"""An actor notices that its training process hangs; it hangs itself if it is silent for so much longer."""

TAKEN_AWAY = (RayActorError, NodeDiedError, WorkerCrashedError, ObjectLostError)


class Conductor:
    """Every cohort under way, each conducted by a task of its own.

    Args:
        setup: What the coordinator asks for.
        tell: Tells the coordinator.

    Attributes:
        broken: Fails when something went wrong that is no cohort's end: the cluster is lost.
    """

    def __init__(self, setup: Setup, tell: Callable[[News], None]) -> None:
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._setup = setup
        self._tell = tell
        self._takes_gpu = False
        self._pool = ActorPool(self._start_actor)
        self._datasets = ClusterDatasets(setup.datasets_dir)
        self._reading = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._answers: dict[str, asyncio.Queue[Verdicts]] = {}

    def begin(self, cohort: Cohort) -> None:
        """Starts conducting a cohort."""
        self._answers[cohort.cohort_id] = asyncio.Queue()
        task = self._tasks[cohort.cohort_id] = asyncio.create_task(self._conduct(cohort))
        task.add_done_callback(lambda ended: self._forget(cohort.cohort_id, ended))

    def answer(self, verdicts: Verdicts) -> None:
        """Passes verdicts on to the cohort that waits for them."""
        if verdicts.cohort_id in self._answers:
            self._answers[verdicts.cohort_id].put_nowait(verdicts)

    def cancel(self, cohort_id: str) -> None:
        """Ends a cohort by force."""
        if cohort_id in self._tasks:
            self._tasks[cohort_id].cancel()

    async def watch(self) -> None:
        """Follows the cluster as nodes come and go, for ever."""
        n_slots, busy_at = -1, time.monotonic()
        while True:
            resources = await asyncio.to_thread(ray.cluster_resources)
            self._takes_gpu = takes_gpu(self._setup, resources)
            if (now := count_slots(self._setup, resources)) != n_slots:
                n_slots = now
                self._pool.grow(n_slots)
                self._tell(Capacity(n_slots=n_slots))
            if self._tasks:
                busy_at = time.monotonic()
            elif time.monotonic() - busy_at > IDLE_SECONDS:
                self._pool.release_idle()
            await asyncio.sleep(LOOK_SECONDS)

    def _start_actor(self) -> Any:
        on_gpu = self._takes_gpu
        share = {"num_gpus": 1 / self._setup.processes_per_gpu, "num_cpus": 0} if on_gpu else {"num_cpus": 1}
        return ray.remote(TrainingActor).options(**share).remote(self._setup.model_dump_json(), on_gpu=on_gpu)

    def _forget(self, cohort_id: str, ended: asyncio.Task[None]) -> None:
        del self._tasks[cohort_id], self._answers[cohort_id]
        if ended.cancelled():  # before it began
            self._tell(_loss(cohort_id, asyncio.CancelledError()))
            return
        error = ended.exception()
        if error is not None and not self.broken.done():
            self.broken.set_exception(error)

    async def _conduct(self, cohort: Cohort) -> None:
        slot: ActorSlot | None = None
        try:
            slot = await self._pool.take(program_key(cohort))
            end = await self._converse(slot, cohort)
        except (asyncio.CancelledError, TimeoutError, NoActorError, RayError, ValidationError) as error:
            if slot is not None:
                self._pool.discard(slot)
            end = _loss(cohort.cohort_id, error)
        else:
            self._pool.give_back(slot)
        self._tell(end)

    async def _converse(self, slot: ActorSlot, cohort: Cohort) -> Event:
        async with self._reading:
            dataset = await asyncio.to_thread(self._datasets.offer, cohort.dataset.name)
        event = await self._hear(slot.actor.train.remote(cohort.model_dump_json(), dataset))
        while isinstance(event, SegmentReport):
            self._tell(event)
            verdicts = await self._answers[cohort.cohort_id].get()
            event = await self._hear(slot.actor.resume.remote(verdicts.model_dump_json()))
        return event

    async def _hear(self, answer: Any) -> Event:
        async with asyncio.timeout(self._setup.limits.progress_deadline_seconds + GRACE_SECONDS):
            return EVENTS.validate_json(await answer)


def takes_gpu(setup: Setup, resources: Mapping[str, float]) -> bool:
    """Whether actors take GPUs, or CPU cores."""
    return setup.device == "gpu" or (setup.device == "auto" and resources.get("GPU", 0.0) > 0)


def count_slots(setup: Setup, resources: Mapping[str, float]) -> int:
    """How many actors the whole cluster has room for, whoever takes it."""
    if takes_gpu(setup, resources):
        n_slots = math.floor(resources.get("GPU", 0.0)) * setup.processes_per_gpu
    else:
        n_slots = math.floor(resources.get("CPU", 0.0))
    return min(n_slots, setup.max_slots) if setup.max_slots else n_slots


def _loss(cohort_id: str, error: BaseException) -> CohortLost:
    cause, reason = _why(error)
    return CohortLost(cohort_id=cohort_id, cause=cause, reason=shorten(reason))


def _why(error: BaseException) -> tuple[LossCause, str]:
    if isinstance(error, asyncio.CancelledError):
        return "cancelled", "cancelled on request"
    if isinstance(error, TimeoutError):
        return "hang", "the training actor was silent for too long; it was ended"
    if isinstance(error, OutOfMemoryError):
        return "memory", f"Ray ended the training actor for want of memory: {error}"
    if isinstance(error, TAKEN_AWAY) and not isinstance(error, RayTaskError):
        return "killed", f"the training actor or its node went away: {error}"
    if isinstance(error, NoActorError):
        return "killed", str(error)
    return "abort", reason_of(error)
