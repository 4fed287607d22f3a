"""Where training happens: one place per file, one explicit table. Importing this imports no Keras."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from trials.executors.backends import BackendChoice
from trials.executors.base import Executor, ExecutorMissingError
from trials.executors.cluster.messages import Setup
from trials.executors.inline import InlineExecutor
from trials.executors.places import Device, places_here
from trials.executors.processes import ProcessesExecutor, ProcessLimits
from trials.executors.ray import RayExecutor
from trials.executors.steps import training_function
from trials.executors.trainer import TrainerOptions

__all__ = ["EXECUTORS", "Executor", "ExecutorMissingError", "ExecutorSettings", "make_executor"]

GIBIBYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class ExecutorSettings:
    """What executors are made from.

    Attributes:
        datasets_dir: Where `NAME.npz` files lie.
        logs_dir: Where training processes write their logs.
        n_processes: Training processes at once; 0 means as many as there are GPUs or cores for.
        memory_bytes: Address space limit of one training process; 0 for none.
        max_cohorts: A training process is replaced after so many cohorts.
        recycle_bytes: A training process that holds more than this is replaced before its next cohort; 0 for never.
        progress_deadline_seconds: A training process silent for longer counts as hung.
        train: The training function, `module:function`.
        backend: Keras' backend.
        ray_address: `auto`, `local`, `HOST:PORT` or `ray://HOST:PORT`.
        device: Whether training processes take GPUs or CPU cores.
        processes_per_gpu: Training processes that share a GPU.
    """

    datasets_dir: Path
    logs_dir: Path
    n_processes: int = 1
    memory_bytes: int = 16 * GIBIBYTE
    max_cohorts: int = 100
    recycle_bytes: int = 4 * GIBIBYTE
    progress_deadline_seconds: float = 900.0
    train: str = "trials.train:train"
    backend: BackendChoice = "tensorflow"
    ray_address: str = "auto"
    device: Device = "auto"
    processes_per_gpu: int = 1


def _make_inline(settings: ExecutorSettings) -> Executor:
    os.environ.setdefault("KERAS_BACKEND", settings.backend)  # too late once Keras is imported
    return InlineExecutor(training_function(settings.train), settings.datasets_dir)


def _make_processes(settings: ExecutorSettings) -> Executor:
    here = places_here(settings.device, settings.backend, settings.processes_per_gpu)
    places = list(islice(cycle(here), settings.n_processes or len(here)))
    return ProcessesExecutor(_trainer(settings), places=places, limits=_limits(settings), logs_dir=settings.logs_dir)


def _make_ray(settings: ExecutorSettings) -> Executor:
    setup = Setup(
        address=settings.ray_address,
        max_slots=settings.n_processes,
        device=settings.device,
        processes_per_gpu=settings.processes_per_gpu,
        trainer=_trainer(settings),
        limits=_limits(settings),
    )
    return RayExecutor(setup, settings.logs_dir)


def _trainer(settings: ExecutorSettings) -> TrainerOptions:
    return TrainerOptions(
        train=settings.train,
        datasets_dir=settings.datasets_dir.resolve(),
        memory_bytes=settings.memory_bytes,
        backend=settings.backend,
    )


def _limits(settings: ExecutorSettings) -> ProcessLimits:
    return ProcessLimits(
        max_cohorts=settings.max_cohorts,
        recycle_bytes=settings.recycle_bytes,
        progress_deadline_seconds=settings.progress_deadline_seconds,
    )


EXECUTORS: dict[str, Callable[[ExecutorSettings], Executor]] = {
    "processes": _make_processes,
    "ray": _make_ray,
    "inline": _make_inline,
}


def make_executor(name: str, settings: ExecutorSettings) -> Executor:
    """Makes an executor; nothing is started before it is needed. Close it when done.

    Raises:
        ValueError: There is no executor of this name.
        ExecutorMissingError: What it needs is not installed.
    """
    if name not in EXECUTORS:
        msg = f"executor: expected one of {', '.join(EXECUTORS)}; received {name}"
        raise ValueError(msg)
    return EXECUTORS[name](settings)
