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
    "validation_balanced_accuracy",
    "train_loss",
    "train_accuracy",
    "train_balanced_accuracy",
    "test_loss",
    "test_accuracy",
    "test_balanced_accuracy",
    "test_spread",
)
"""Rows of a curve. The two running metrics are means over the epoch's training steps (dropout on, penalties and
augmentation included, as Keras' `fit` logs them); all others are measured after the epoch in inference mode. Train and
test are read only at some epochs and are NaN at the others; the last epoch is always read. Balanced accuracy is the
mean of the classes' recalls. The spread is that of sampled predictions, NaN where predictions are not sampled."""

FORMAT = b"2"
"""First byte of a packed curve. The first format had none, no balanced accuracies and no spread."""

ZLIB_MARK = b"\x78"
"""What every zlib stream begins with, and so a curve of the first format."""

Curve: TypeAlias = npt.NDArray[np.float32]
"""Shape `(len(CURVE_METRICS), n_epochs)`."""


def row(curve: Curve, metric: str) -> npt.NDArray[np.float32]:
    """One metric of a curve, shape `(n_epochs,)`."""
    values: npt.NDArray[np.float32] = curve[CURVE_METRICS.index(metric)]
    return values


def pack(curve: Curve) -> bytes:
    """The curve as compressed bytes; exact."""
    return FORMAT + zlib.compress(np.ascontiguousarray(curve, dtype="<f4").tobytes(), level=1)


def unpack(packed: bytes) -> Curve:
    """The inverse of `pack`; what a curve of the first format lacks is NaN.

    Raises:
        ValueError: It has another format.
    """
    if packed[:1] == ZLIB_MARK:
        return _unpack_first_format(packed)
    if packed[:1] != FORMAT:
        msg = f"curve: expected a format of {FORMAT!r} or {ZLIB_MARK!r}; received {packed[:1]!r}"
        raise ValueError(msg)
    return np.frombuffer(zlib.decompress(packed[1:]), dtype="<f4").reshape(len(CURVE_METRICS), -1)


def _unpack_first_format(packed: bytes) -> Curve:
    is_there = ["balanced" not in name and "spread" not in name for name in CURVE_METRICS]
    values = np.frombuffer(zlib.decompress(packed), dtype="<f4").reshape(sum(is_there), -1)
    curve: Curve = np.full((len(CURVE_METRICS), values.shape[1]), np.nan, np.float32)
    curve[is_there] = values
    return curve
