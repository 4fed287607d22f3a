"""Data in memory: as loaded (`RawDataset`) and as trained on (`Dataset`)."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Examples: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
"""Shape `(n_examples, *input_shape)`; images have a channel axis."""

Labels: TypeAlias = npt.NDArray[np.int32]
"""Shape `(n_examples,)`; classes are numbered from 0."""


@dataclass(frozen=True, kw_only=True)
class RawDataset:
    """A dataset as its source has it.

    Attributes:
        x_train: Examples to train on; a validation part may still be split off.
        x_test: Examples that the protocol `held_out` reports on.
        x_rest: What the source itself calls its test part, where `x_test` is something better (fresh points). It is
            the validation part in `held_out`, and validation and test at once in `as_published`.
        n_classes: Number of classes, at least 2.
    """

    x_train: Examples
    y_train: Labels
    x_test: Examples
    y_test: Labels
    n_classes: int
    x_rest: Examples | None = None
    y_rest: Labels | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A dataset as it is trained on: split and preprocessed. Shared between cohorts; never written to.

    Attributes:
        x_train: C-contiguous, shape `(n_examples, *input_shape)`; float32, or uint8 that becomes float32 in the step;
            so are the other two.
        y_train: int32, shape `(n_examples,)`; so are the other two.
        divisor: What uint8 examples are divided by in the step; 1 for float32.
    """

    x_train: Examples
    y_train: Labels
    x_validation: Examples
    y_validation: Labels
    x_test: Examples
    y_test: Labels
    n_classes: int
    divisor: float = 1.0

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.x_train.shape[1:]
