"""The 49,000 labelled digits of a case study: MNIST's first ones, split in their order."""

from pathlib import Path

from search_spaces.datasets import AnyDatasetRef, NamedRef
from trials.datasets.dataset import RawDataset
from trials.datasets.keras_downloads import load_download

N_IMAGES = 49_000
TRAIN_SHARE = 0.7


def load_mnist_49k(_ref: AnyDatasetRef, datasets_dir: Path) -> RawDataset:
    """The first 49,000 training images of MNIST: 34,300 train, and the 14,700 after them are the test.

    Of a smaller `mnist.npz` in the data directory, the same shares.

    Raises:
        InfeasibleCohortError: MNIST cannot be had.
    """
    mnist = load_download(NamedRef(name="mnist"), datasets_dir)
    n_images = min(N_IMAGES, len(mnist.x_train))
    n_train = round(TRAIN_SHARE * n_images)
    return RawDataset(
        x_train=mnist.x_train[:n_train],
        y_train=mnist.y_train[:n_train],
        x_test=mnist.x_train[n_train:n_images],
        y_test=mnist.y_train[n_train:n_images],
        n_classes=mnist.n_classes,
    )
