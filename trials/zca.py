"""ZCA whitening: examples without linear correlations that still look like examples."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from trials.errors import InfeasibleCohortError

Array: TypeAlias = npt.NDArray[Any]

MAX_FEATURES = 4096
"""The covariance of so many numbers per example takes 128 MiB, and its eigenvectors about a minute of one core."""

ROWS_AT_ONCE = 4096
"""Rows in double precision at one time."""


def fit_zca(x_train: Array, epsilon: float) -> Callable[[Array], Array]:
    """Learns W = U diag(1 / sqrt(s^2 / n + epsilon)) U^T from training examples; the transform is (x - mean) W.

    s are the singular values and U the right singular vectors of the n centred, flattened training examples, so that
    s^2 / n are the eigenvalues of their covariance. Without epsilon the training examples would come out with the
    identity as covariance, and of all matrices that do so W changes the examples least. It is a fixed linear map: the
    same for training, validation and test, in training and in inference.

    Keras' former `ImageDataGenerator` used epsilon 1e-6. On MNIST that is unsafe: border pixels that are blank in
    almost all training images have a variance near zero, and ink there in another image is multiplied by 1,000. With
    0.1 no direction is multiplied by more than 3.2.

    Args:
        x_train: Shape `(n_examples, *input_shape)`, scaled to [0, 1].
        epsilon: Added to the eigenvalues, above 0.

    Returns:
        The transform, from `(n, *input_shape)` to float32 of the same shape.

    Raises:
        InfeasibleCohortError: An example has more than `MAX_FEATURES` numbers.

    References:
        Bell and Sejnowski, 1997, The "independent components" of natural scenes are edge filters, Vision Research 37.
        Krizhevsky, 2009, Learning multiple layers of features from tiny images (appendix A).
    """
    rows = x_train.reshape(len(x_train), -1)
    if rows.shape[1] > MAX_FEATURES:
        raise InfeasibleCohortError(
            f"preprocessing: expected examples of at most {MAX_FEATURES:,} numbers for zca; received {rows.shape[1]:,}"
        )
    mean = rows.mean(axis=0, dtype=np.float64)
    eigenvalues, vectors = eigh(_covariance(rows, mean), overwrite_a=True)
    factors = 1.0 / np.sqrt(np.maximum(eigenvalues, 0.0) + epsilon)
    whiten = (vectors * factors) @ vectors.T

    def transform(x: Array) -> Array:
        flat = x.reshape(len(x), -1)
        white = np.empty(flat.shape, np.float32)
        for start in range(0, len(flat), ROWS_AT_ONCE):
            white[start : start + ROWS_AT_ONCE] = (flat[start : start + ROWS_AT_ONCE] - mean) @ whiten
        return white.reshape(x.shape)

    return transform


def _covariance(rows: Array, mean: Array) -> Array:
    """Over n, not n - 1, in double precision: shape `(n_features, n_features)`."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        centred = rows[start : start + ROWS_AT_ONCE] - mean
        total += centred.T @ centred
    return total / len(rows)
