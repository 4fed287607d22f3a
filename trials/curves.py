"""The learning curve of one lane: a few metrics per epoch, packed small enough to be one row of a database."""

import zlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

CURVE_METRICS = (
    "running_loss",
    "running_accuracy",
    "validation_loss",
    "validation_accuracy",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
)
"""Rows of a curve. The two running metrics are means over the epoch's training steps (dropout on, penalties and
augmentation included, as Keras' `fit` logs them); all others are measured after the epoch in inference mode. Train and
test are read only at some epochs and are NaN at the others; the last epoch is always read."""

Curve: TypeAlias = npt.NDArray[np.float32]
"""Shape `(len(CURVE_METRICS), n_epochs)`."""


def row(curve: Curve, metric: str) -> npt.NDArray[np.float32]:
    """One metric of a curve, shape `(n_epochs,)`."""
    values: npt.NDArray[np.float32] = curve[CURVE_METRICS.index(metric)]
    return values


def pack(curve: Curve) -> bytes:
    """The curve as compressed bytes; exact."""
    return zlib.compress(np.ascontiguousarray(curve, dtype="<f4").tobytes(), level=1)


def unpack(packed: bytes) -> Curve:
    """The inverse of `pack`."""
    values = np.frombuffer(zlib.decompress(packed), dtype="<f4")
    return values.reshape(len(CURVE_METRICS), -1)
