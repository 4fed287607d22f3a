"""MNIST, Fashion-MNIST and CIFAR-10: a file in the data directory, or else Keras' own download."""

import importlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from search_spaces.datasets import CirclesRef, NamedRef
from trials.datasets.dataset import Examples, RawDataset
from trials.datasets.npz import load_npz
from trials.errors import InfeasibleCohortError

SOCKET_TIMEOUT_SECONDS = 10.0


def load_download(ref: CirclesRef | NamedRef, datasets_dir: Path) -> RawDataset:
    """Loads `NAME.npz` from the data directory if it is there, else downloads (once; Keras keeps the file).

    Grey images get a channel axis.

    Raises:
        InfeasibleCohortError: There is no such file and the download failed; the text says where to put the file.
    """
    path = datasets_dir / f"{ref.name}.npz"
    raw = load_npz(path) if path.exists() else _download(ref.name, path)
    return replace(raw, x_train=_with_channels(raw.x_train), x_test=_with_channels(raw.x_test))


def _download(name: str, path: Path) -> RawDataset:
    source = importlib.import_module(f"keras.datasets.{name}")
    try:
        with _socket_timeout(SOCKET_TIMEOUT_SECONDS):
            (x_train, y_train), (x_test, y_test) = source.load_data()
    except Exception as error:  # Keras raises bare Exception when a download fails
        raise InfeasibleCohortError(
            f"dataset {name}: no file {path.resolve()}, and the download failed ({error}). Put an .npz file with "
            "x_train, y_train, x_test, y_test there."
        ) from error
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
