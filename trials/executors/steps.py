"""One step of a cohort's training, with every way it can end turned into an event."""

import importlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias

from trials.errors import InfeasibleCohortError, reason_of
from trials.protocol import Cohort, CohortFinished, CohortLost, CohortRefused, Event, SegmentReport, Verdicts

Steps: TypeAlias = Generator[SegmentReport, Verdicts, CohortFinished]
Train: TypeAlias = Callable[[Cohort, Path], Steps]
"""A training function: takes a cohort and the folder of datasets, yields reports, is sent verdicts."""

MEMORY_ERROR_WORDS = (
    "bad_alloc",
    "out of memory",
    "cannot allocate memory",
    "resource_exhausted",
    "memoryerror",
    "mmap error: 12",
    "pthread_create() failed",
)
"""In lower case."""


def training_function(name: str) -> Train:
    """Imports a training function by its name, `module:function`."""
    module, _, function = name.partition(":")
    train: Train = getattr(importlib.import_module(module), function)
    return train


def advance(cohort_id: str, steps: Steps, verdicts: Verdicts | None) -> Event:
    """Trains until the next report or the end.

    Args:
        cohort_id: The cohort's id.
        steps: Its training.
        verdicts: The answer to the last report; None at the start.
    """
    try:
        return next(steps) if verdicts is None else steps.send(verdicts)
    except StopIteration as end:
        finished: CohortFinished = end.value
        return finished
    except InfeasibleCohortError as error:
        return CohortRefused(cohort_id=cohort_id, reason=reason_of(error))
    except Exception as error:  # noqa: BLE001 - the outermost loop of training: whatever it raises is an outcome
        cause = "memory" if is_memory_error(error) else "abort"
        return CohortLost(cohort_id=cohort_id, cause=cause, reason=reason_of(error))


def is_memory_error(error: Exception) -> bool:
    """Whether an error means that memory ran out; TensorFlow's and JAX' are known by name, without importing them."""
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return True
    return type(error).__name__ in ("XlaRuntimeError", "InternalError") and tells_of_memory(str(error))


def tells_of_memory(text: str) -> bool:
    """Whether a message or the end of a log speaks of memory that ran out."""
    lowered = text.lower()
    return any(word in lowered for word in MEMORY_ERROR_WORDS)
