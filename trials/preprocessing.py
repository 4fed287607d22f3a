"""From a dataset as loaded to the arrays that are trained on: split off validation, then preprocess.

Statistics come from the training rows alone and are applied to all parts.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from search_spaces.preprocessing import ZCA, Preprocessing
from search_spaces.spec import Evaluation
from trials.datasets.dataset import Dataset, Examples, RawDataset
from trials.datasets.split import split_validation
from trials.zca import fit_zca

FloatArray: TypeAlias = npt.NDArray[np.float32]
RawArray: TypeAlias = npt.NDArray[Any]
Transform: TypeAlias = Callable[[RawArray], RawArray]

LARGEST_BYTE = 255.0

BYTE_DIVISORS = {"none": 1.0, "scale": LARGEST_BYTE}
"""Preprocessing that leaves uint8 examples as they are, a quarter of the memory, and is done in the step instead."""


def prepare(raw: RawDataset, preprocessing: Preprocessing, evaluation: Evaluation, split_seed: int) -> Dataset:
    """Splits and preprocesses a dataset.

    Args:
        raw: The dataset as loaded.
        preprocessing: How the examples are prepared.
        evaluation: Which part is validation.
        split_seed: Seed of a random split.

    Raises:
        InfeasibleCohortError: There are too few rows to split, or examples are too large to be whitened.
    """
    parts = split_validation(raw, evaluation, split_seed)
    stays_bytes = parts.x_train.dtype == np.uint8 and preprocessing.name in BYTE_DIVISORS
    ready = _as_it_is if stays_bytes else _to_floats(fit(preprocessing, parts.x_train))
    x_validation = ready(parts.x_validation)
    return Dataset(
        x_train=ready(parts.x_train),
        y_train=parts.y_train,
        x_validation=x_validation,
        y_validation=parts.y_validation,
        x_test=x_validation if parts.x_test is parts.x_validation else ready(parts.x_test),
        y_test=parts.y_test,
        n_classes=raw.n_classes,
        divisor=BYTE_DIVISORS[preprocessing.name] if stays_bytes else 1.0,
    )


def fit(preprocessing: Preprocessing, x_train: RawArray) -> Transform:
    """The function for all parts, learned from training examples.

    Args:
        preprocessing: How the examples are prepared.
        x_train: Shape `(n_examples, *input_shape)`.
    """
    if isinstance(preprocessing, ZCA):
        scale = fit_scale(x_train)
        whiten = fit_zca(scale(x_train), preprocessing.epsilon)
        return lambda x: whiten(scale(x))
    return PLAIN[preprocessing.name](x_train)


def _as_it_is(examples: Examples) -> Examples:
    return examples if examples.flags.c_contiguous else examples.copy(order="C")


def _to_floats(transform: Transform) -> Callable[[Examples], Examples]:
    return lambda examples: np.ascontiguousarray(transform(examples), dtype=np.float32)


def fit_none(_x_train: RawArray) -> Transform:
    """Leaves the values as they are."""
    return lambda x: x


def fit_scale(x_train: RawArray) -> Transform:
    """Brings pixels to [0, 1] by one common factor.

    8-bit data are divided by 255, whatever values occur. Other images and sequences are divided by the largest absolute
    training value where that exceeds 1 (`digits` by 16); below that they count as scaled. Plain rows of features
    have no common unit and stay as they are: `standardize` is for them.
    """
    if x_train.dtype == np.uint8:
        divisor = LARGEST_BYTE
    elif x_train.ndim > 2:
        divisor = max(float(np.abs(x_train).max()), 1.0)
    else:
        divisor = 1.0
    return lambda x: x.astype(np.float32) / np.float32(divisor)


def fit_standardize(x_train: RawArray) -> Transform:
    """Gives each feature (pixel) mean 0 and standard deviation 1; a feature that is constant in training becomes 0."""
    mean = x_train.mean(axis=0, dtype=np.float64)
    deviation = x_train.std(axis=0, dtype=np.float64)
    constant = deviation <= np.finfo(np.float32).eps * np.abs(mean)
    factor = np.where(constant, 0.0, 1.0 / np.where(constant, 1.0, deviation))
    return lambda x: (x - mean) * factor


def fit_column_l2(_x_train: RawArray) -> Transform:
    """Divides by the L2 norm along the first axis of each example, as `keras.utils.normalize(x, axis=1)` does.

    For an image that is every pixel column by its own norm; for a row of features the whole row. Columns of zeros stay.
    """

    def transform(x: RawArray) -> RawArray:
        norm = np.sqrt(np.square(x, dtype=np.float64).sum(axis=1, keepdims=True))
        return x / np.where(norm == 0, 1.0, norm)

    return transform


PLAIN: dict[str, Callable[[RawArray], Transform]] = {
    "none": fit_none,
    "scale": fit_scale,
    "standardize": fit_standardize,
    "column_l2": fit_column_l2,
}
"""Each takes the training examples and returns the function for all parts."""
