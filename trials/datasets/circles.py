"""Two noisy rings in the plane."""

from pathlib import Path

import numpy as np
from sklearn.datasets import make_circles

from search_spaces.datasets import AnyDatasetRef, CirclesRef
from trials.datasets.dataset import Labels, RawDataset


def load_circles(ref: AnyDatasetRef, _datasets_dir: Path) -> RawDataset:
    """Draws the rings; the first `n_train` points train, the others are the published test part.

    The test part of `held_out` is drawn anew from the same distribution, with the next random state.
    """
    if not isinstance(ref, CirclesRef):
        ref = CirclesRef()
    x, y = _draw(ref.n_samples, ref.noise, ref.random_state)
    x_fresh, y_fresh = _draw(ref.n_fresh, ref.noise, (ref.random_state + 1) % 2**32)
    return RawDataset(
        x_train=x[: ref.n_train],
        y_train=y[: ref.n_train],
        x_rest=x[ref.n_train :],
        y_rest=y[ref.n_train :],
        x_test=x_fresh,
        y_test=y_fresh,
        n_classes=2,
    )


def _draw(
    n_samples: int, noise: float, random_state: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], Labels]:
    x, y = make_circles(n_samples=n_samples, noise=noise, random_state=random_state)
    return x.astype(np.float32), y.astype(np.int32)
