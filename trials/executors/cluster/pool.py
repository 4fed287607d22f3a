"""The driver's training actors: started when a cohort waits, used again, killed when they failed or stand idle."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError

from trials.errors import reason_of


class NoActorError(Exception):
    """A training actor cannot be started."""


@dataclass(eq=False)
class ActorSlot:
    """A training actor, and which programs its training process may have compiled."""

    actor: Any
    programs: set[str] = field(default_factory=set)


class ActorPool:
    """Training actors, at most `capacity` of them.

    Args:
        start: Asks Ray for an actor; where there is no room for it now, Ray places it later.

    Attributes:
        capacity: How many actors there may be; ones beyond it are not replaced when they end.
    """

    def __init__(self, start: Callable[[], Any]) -> None:
        self.capacity = 0
        self._start = start
        self._idle: list[ActorSlot] = []
        self._n_actors = 0
        self._n_starting = 0
        self._n_waiting = 0
        self._failures: list[str] = []
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, program: str) -> ActorSlot:
        """An actor that answers, preferably one that has compiled the program; waits until there is one.

        Raises:
            NoActorError: One was tried to be started for this, in vain.
        """
        while True:
            slot = await self._next_idle(program)
            try:
                await slot.actor.ready.remote()
            except asyncio.CancelledError:
                self.give_back(slot)
                raise
            except RayError:
                self.discard(slot)
            else:
                slot.programs.add(program)
                return slot

    async def _next_idle(self, program: str) -> ActorSlot:
        self._n_waiting += 1
        try:
            while not self._idle:
                if self._failures:
                    raise NoActorError(self._failures.pop())
                self._start_if_wanted()
                await self._changed.wait()
        finally:
            self._n_waiting -= 1
        slot = max(self._idle, key=lambda idle: program in idle.programs)
        self._idle.remove(slot)
        return slot

    def grow(self, capacity: int) -> None:
        """Sets the capacity; those who wait take notice."""
        self.capacity = capacity
        self._notify()

    def give_back(self, slot: ActorSlot) -> None:
        """Takes back an actor that is well."""
        self._idle.append(slot)
        self._notify()

    def discard(self, slot: ActorSlot) -> None:
        """Kills an actor; its training process ends with it."""
        ray.kill(slot.actor, no_restart=True)
        self._n_actors -= 1
        self._notify()

    def release_idle(self) -> None:
        """Kills the actors that train nothing, so that others can have their room."""
        while self._idle:
            self.discard(self._idle.pop())

    def _start_if_wanted(self) -> None:
        if self._n_starting < self._n_waiting and self._n_actors < self.capacity:
            self._n_starting += 1
            self._n_actors += 1
            task = asyncio.create_task(self._start_one())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _start_one(self) -> None:
        slot = ActorSlot(self._start())
        try:
            await slot.actor.ready.remote()
        except RayError as error:
            self._n_actors -= 1
            if self._n_waiting:
                self._failures.append(f"a training actor cannot be started: {reason_of(error)}")
        else:
            self._idle.append(slot)
        finally:
            self._n_starting -= 1
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
