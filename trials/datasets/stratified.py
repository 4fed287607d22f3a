"""The fixed split of sources that come without a test part."""

import numpy as np
from sklearn.model_selection import train_test_split

from trials.datasets.dataset import Examples, Labels, RawDataset

SPLIT_RANDOM_STATE = 0
"""Fixed for ever: results of different studies on one dataset share their test part."""


def split_off_test(x: Examples, y: Labels, n_test: int) -> RawDataset:
    """Splits off a test part with equal shares of the classes; the same rows every time."""
    train, test = train_test_split(np.arange(len(y)), test_size=n_test, stratify=y, random_state=SPLIT_RANDOM_STATE)
    return RawDataset(x_train=x[train], y_train=y[train], x_test=x[test], y_test=y[test], n_classes=int(y.max()) + 1)
