"""Where training happens: one place per file, one explicit table. Importing this imports no Keras."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trials.executors.base import Executor
from trials.executors.inline import InlineExecutor
from trials.executors.processes import ProcessesExecutor, ProcessLimits
from trials.executors.steps import training_function
from trials.executors.trainer import TrainerOptions

__all__ = ["EXECUTORS", "Executor", "ExecutorSettings", "make_executor"]

GIBIBYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class ExecutorSettings:
    """What executors are made from.

    Attributes:
        datasets_dir: Where `NAME.npz` files lie.
        logs_dir: Where training processes write their logs.
        n_processes: Training processes at once.
        memory_bytes: Address space limit of one training process; 0 for none.
        max_cohorts: A training process is replaced after so many cohorts.
        recycle_bytes: A training process that holds more than this is replaced before its next cohort; 0 for never.
        progress_deadline_seconds: A training process silent for longer counts as hung.
        train: The training function, `module:function`.
    """

    datasets_dir: Path
    logs_dir: Path
    n_processes: int = 1
    memory_bytes: int = 16 * GIBIBYTE
    max_cohorts: int = 100
    recycle_bytes: int = 4 * GIBIBYTE
    progress_deadline_seconds: float = 900.0
    train: str = "trials.train:train"


def _make_inline(settings: ExecutorSettings) -> Executor:
    return InlineExecutor(training_function(settings.train), settings.datasets_dir)


def _make_processes(settings: ExecutorSettings) -> Executor:
    return ProcessesExecutor(
        TrainerOptions(train=settings.train, datasets_dir=settings.datasets_dir, memory_bytes=settings.memory_bytes),
        n_processes=settings.n_processes,
        limits=ProcessLimits(
            max_cohorts=settings.max_cohorts,
            recycle_bytes=settings.recycle_bytes,
            progress_deadline_seconds=settings.progress_deadline_seconds,
        ),
        logs_dir=settings.logs_dir,
    )


EXECUTORS: dict[str, Callable[[ExecutorSettings], Executor]] = {"processes": _make_processes, "inline": _make_inline}


def make_executor(name: str, settings: ExecutorSettings) -> Executor:
    """Makes an executor; nothing is started before it is needed. Close it when done.

    Raises:
        ValueError: There is no executor of this name.
    """
    if name not in EXECUTORS:
        msg = f"executor: expected one of {', '.join(EXECUTORS)}; received {name}"
        raise ValueError(msg)
    return EXECUTORS[name](settings)
