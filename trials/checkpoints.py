"""The states of lanes at segment ends, kept as files, so that another process can continue where one was lost.

A file is written under another name, synced and renamed: it is whole or not there. What it is called depends on all
that the lane's training depends on, so a state can never be taken for another lane's. A file that cannot be read is as
good as none: the lane starts afresh.
"""

import contextlib
import hashlib
import io
import os
import tempfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trials.protocol import Lane

MAX_SHARE = 0.02
"""Of the time that training takes, so much may go into writing; after a costly write the next ones are left out."""


class LaneState(NamedTuple):
    """A lane between two segments.

    Attributes:
        state: Weights and optimizer variables, in the program's order.
        best: Best monitored validation value so far, larger is better.
        curve: The curve so far.
    """

    state: list[npt.NDArray[Any]]
    best: float
    curve: npt.NDArray[np.float32]


class Checkpoints:
    """The checkpoints of one cohort's lanes.

    Args:
        directory: Where they lie, on a disk that every process which may continue them can reach; None keeps nothing.
        identity: All that the lanes' training depends on, but their settings and seeds.
    """

    def __init__(self, directory: Path | None, identity: str) -> None:
        self._directory = directory
        self._identity = identity
        self._trained_seconds = 0.0
        self._last_cost_seconds = 0.0

    def load(self, lane: Lane) -> LaneState | None:
        """The lane's last state; None if there is none that can be read."""
        if self._directory is None:
            return None
        try:
            path = self._path(self._directory, lane)
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                n_tensors = len(arrays.files) - 2
                state = [arrays[f"state_{i}"] for i in range(n_tensors)]
                return LaneState(state, float(arrays["best"]), arrays["curve"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, lanes: Iterable[tuple[Lane, LaneState]], seconds: float) -> bool:
        """Keeps the states of lanes after a segment, if that is not too costly.

        Args:
            lanes: The lanes that go on.
            seconds: How long the segment took.

        Returns:
            Whether they were written.
        """
        self._trained_seconds += seconds
        if self._directory is None or self._trained_seconds * MAX_SHARE < self._last_cost_seconds:
            return False
        started = time.monotonic()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for lane, state in lanes:
                _write(self._path(self._directory, lane), state)
        except OSError:  # a full disk costs the checkpoints, not the training
            return False
        finally:
            self._last_cost_seconds = time.monotonic() - started
            self._trained_seconds = 0.0
        return True

    def discard(self, lane: Lane) -> None:
        """Forgets a lane that has ended."""
        if self._directory is not None:
            with contextlib.suppress(OSError):
                self._path(self._directory, lane).unlink(missing_ok=True)

    def _path(self, directory: Path, lane: Lane) -> Path:
        own = f"{self._identity} {lane.seed} {sorted(lane.settings.items())}"
        return directory / f"{hashlib.sha256(own.encode()).hexdigest()[:40]}.npz"


def _write(path: Path, lane: LaneState) -> None:
    arrays = {f"state_{i}": tensor for i, tensor in enumerate(lane.state)}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, best=np.float64(lane.best), curve=lane.curve, **arrays)
    descriptor, unfinished = tempfile.mkstemp(prefix="unfinished-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).rename(path)
    except OSError:
        Path(unfinished).unlink(missing_ok=True)
        raise
