"""What Keras downloads: a file in the data directory, or else Keras' own download."""

import importlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from search_spaces.datasets import AnyDatasetRef
from trials.datasets.dataset import Examples, RawDataset
from trials.datasets.npz import load_npz
from trials.errors import InfeasibleCohortError

SOCKET_TIMEOUT_SECONDS = 10.0

Part: TypeAlias = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""Examples and labels."""


def load_download(ref: AnyDatasetRef, datasets_dir: Path) -> RawDataset:
    """Loads `NAME.npz` from the data directory if it is there, else downloads (once; Keras keeps the file).

    Grey images get a channel axis.

    Raises:
        InfeasibleCohortError: There is no such file and the download failed; the text says where to put the file.
    """
    path = datasets_dir / f"{ref.name}.npz"
    raw = load_npz(path) if path.exists() else _images(*download(ref.name, path))
    return replace(raw, x_train=_with_channels(raw.x_train), x_test=_with_channels(raw.x_test))


def download(name: str, path: Path) -> tuple[Part, Part]:
    """Examples and labels for training and test, as `keras.datasets` has them.

    Args:
        name: Of the module there.
        path: The file that would have spared the download.

    Raises:
        InfeasibleCohortError: The download failed; the text says where to put the file.
    """
    source = importlib.import_module(f"keras.datasets.{name}")
    try:
        with _socket_timeout(SOCKET_TIMEOUT_SECONDS):
            train, test = source.load_data()
    except Exception as error:  # Keras raises bare Exception when a download fails
        raise InfeasibleCohortError(
            f"dataset {name}: no file {path.resolve()}, and the download failed ({error}). Put an .npz file with "
            "x_train, y_train, x_test, y_test there."
        ) from error
    return train, test


def _images(train: Part, test: Part) -> RawDataset:
    (x_train, y_train), (x_test, y_test) = train, test
    return RawDataset(
        x_train=x_train,
        y_train=y_train.reshape(-1).astype(np.int32),
        x_test=x_test,
        y_test=y_test.reshape(-1).astype(np.int32),
        n_classes=10,
    )


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _with_channels(images: Examples) -> Examples:
    return images[..., np.newaxis] if images.ndim == 3 else images
