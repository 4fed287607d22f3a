"""The 1,797 digits of scikit-learn, as images or as sequences of rows."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits as load_sklearn_digits

from search_spaces.datasets import AnyDatasetRef
from trials.datasets.dataset import RawDataset
from trials.datasets.stratified import split_off_test

N_TEST = 360
"""One fifth of the images."""


def load_digits(_ref: AnyDatasetRef, _datasets_dir: Path) -> RawDataset:
    """Images of 8x8x1 with values from 0 to 16; a fixed stratified split of 1,437 for training and 360 for the test."""
    images, labels = load_sklearn_digits(return_X_y=True)
    return split_off_test(images.reshape(-1, 8, 8, 1).astype(np.float32), labels.astype(np.int32), N_TEST)


def load_digits_rows(_ref: AnyDatasetRef, _datasets_dir: Path) -> RawDataset:
    """The same images, equally split, as sequences of 8 rows with 8 values each."""
    images, labels = load_sklearn_digits(return_X_y=True)
    return split_off_test(images.reshape(-1, 8, 8).astype(np.float32), labels.astype(np.int32), N_TEST)
