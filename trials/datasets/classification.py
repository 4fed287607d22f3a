"""Clusters around the corners of a cube, in features of which some say nothing."""

from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification

from search_spaces.datasets import AnyDatasetRef, ClassificationRef
from trials.datasets.dataset import RawDataset


def load_classification(ref: AnyDatasetRef, _datasets_dir: Path) -> RawDataset:
    """Draws the points; the first `n_train` train, the others up to `n_samples` are the published test part.

    The test part of `held_out` is drawn together with them, as another random state would be another problem.
    """
    if not isinstance(ref, ClassificationRef):
        ref = ClassificationRef()
    x, y = make_classification(
        n_samples=ref.n_samples + ref.n_fresh,
        n_features=ref.n_features,
        n_informative=ref.n_informative,
        n_redundant=min(2, ref.n_features - ref.n_informative),
        n_classes=ref.n_classes,
        class_sep=ref.class_sep,
        flip_y=ref.flip_y,
        random_state=ref.random_state,
    )
    points, labels = x.astype(np.float32), y.astype(np.int32)
    rest = slice(ref.n_train, ref.n_samples)
    return RawDataset(
        x_train=points[: ref.n_train],
        y_train=labels[: ref.n_train],
        x_rest=points[rest],
        y_rest=labels[rest],
        x_test=points[ref.n_samples :],
        y_test=labels[ref.n_samples :],
        n_classes=ref.n_classes,
    )
