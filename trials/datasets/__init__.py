"""Loading data: one loader per file, one explicit table."""

from collections.abc import Callable
from pathlib import Path

from search_spaces.datasets import AnyDatasetRef
from trials.datasets.circles import load_circles
from trials.datasets.classification import load_classification
from trials.datasets.dataset import Dataset, RawDataset
from trials.datasets.digits import load_digits, load_digits_rows
from trials.datasets.imdb import load_imdb
from trials.datasets.keras_downloads import load_download
from trials.datasets.mnist_5k import load_mnist_5k
from trials.datasets.mnist_49k import load_mnist_49k
from trials.datasets.npz import load_npz
from trials.datasets.tabular import load_breast_cancer, load_wine
from trials.errors import InfeasibleCohortError

__all__ = ["LOADERS", "Dataset", "RawDataset", "file_of", "load"]

LOADERS: dict[str, Callable[[AnyDatasetRef, Path], RawDataset]] = {
    "circles": load_circles,
    "classification": load_classification,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
    "digits_rows": load_digits_rows,
    "mnist_5k": load_mnist_5k,
    "mnist": load_download,
    "mnist_49k": load_mnist_49k,
    "fashion_mnist": load_download,
    "cifar10": load_download,
    "imdb": load_imdb,
}
"""Loaders of the built-in datasets. Any other name is a `NAME.npz` in the data directory."""


MADE_OF = {"mnist_49k": "mnist"}
"""Datasets that are made of another one's file."""


def file_of(ref: AnyDatasetRef, datasets_dir: Path) -> Path:
    """The file that a dataset is read from, whether it is there or not."""
    return datasets_dir / f"{MADE_OF.get(ref.name, ref.name)}.npz"


def load(ref: AnyDatasetRef, datasets_dir: Path) -> RawDataset:
    """Loads the dataset that a study refers to.

    Args:
        ref: The reference.
        datasets_dir: Where `NAME.npz` files lie.

    Raises:
        InfeasibleCohortError: There is no such dataset, or it cannot be read; the text says what to do.
    """
    if ref.name in LOADERS:
        return LOADERS[ref.name](ref, datasets_dir)
    path = file_of(ref, datasets_dir)
    if path.exists():
        return load_npz(path)
    own = sorted(file.stem for file in datasets_dir.glob("*.npz"))
    expected = ", ".join([*LOADERS, *(name for name in own if name not in LOADERS)])
    raise InfeasibleCohortError(f"dataset: expected one of {expected}, or a file {path.resolve()}; received {ref.name}")
