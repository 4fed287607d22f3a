"""Tables that come with scikit-learn: rows of features, each in a unit of its own."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer as load_sklearn_breast_cancer
from sklearn.datasets import load_wine as load_sklearn_wine

from search_spaces.datasets import AnyDatasetRef
from trials.datasets.dataset import RawDataset
from trials.datasets.stratified import split_off_test

N_TEST_BREAST_CANCER = 114
N_TEST_WINE = 36
"""One fifth of the rows, as in the other table."""


def load_breast_cancer(_ref: AnyDatasetRef, _datasets_dir: Path) -> RawDataset:
    """30 features of 569 tumours; a fixed stratified split of 455 for training and 114 for the test."""
    features, labels = load_sklearn_breast_cancer(return_X_y=True)
    return split_off_test(features.astype(np.float32), labels.astype(np.int32), N_TEST_BREAST_CANCER)


def load_wine(_ref: AnyDatasetRef, _datasets_dir: Path) -> RawDataset:
    """13 features of 178 wines; a fixed stratified split of 142 for training and 36 for the test."""
    features, labels = load_sklearn_wine(return_X_y=True)
    return split_off_test(features.astype(np.float32), labels.astype(np.int32), N_TEST_WINE)
