"""Film reviews as sequences of word numbers, all of one length."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from search_spaces.datasets import AnyDatasetRef, ImdbRef
from trials.datasets.dataset import RawDataset
from trials.datasets.keras_downloads import download
from trials.datasets.npz import load_npz
from trials.errors import InfeasibleCohortError

Numbers: TypeAlias = npt.NDArray[Any]

PADDING = 0
RARE_WORD = 2


def load_imdb(ref: AnyDatasetRef, datasets_dir: Path) -> RawDataset:
    """Loads `imdb.npz` from the data directory if it is there, else downloads (once; Keras keeps the file).

    In the file reviews are rows of equal length, numbered as Keras does and padded with 0 on either side.

    Raises:
        InfeasibleCohortError: The file holds anything else, or there is none and the download failed.
    """
    if not isinstance(ref, ImdbRef):
        ref = ImdbRef()
    path = datasets_dir / "imdb.npz"
    if path.exists():
        raw = load_npz(path)
        _check_words(path, (raw.x_train, raw.x_test))
        train, test = (pad(_words(raw.x_train), ref), raw.y_train), (pad(_words(raw.x_test), ref), raw.y_test)
    else:
        train, test = ((pad(reviews, ref), labels.astype(np.int32)) for reviews, labels in download("imdb", path))
    return RawDataset(
        x_train=train[0],
        y_train=train[1],
        x_test=test[0],
        y_test=test[1],
        n_classes=2,
    )


def pad(reviews: Iterable[Any], ref: ImdbRef) -> npt.NDArray[np.float32]:
    """Reviews of any length as rows of `ref.length` numbers below `ref.vocabulary`.

    Returns:
        Shape `(n_reviews, length)`.
    """
    rows: Numbers = keras.utils.pad_sequences(list(reviews), maxlen=ref.length, value=PADDING)
    return np.where(rows < ref.vocabulary, rows, RARE_WORD).astype(np.float32)


def _words(rows: Numbers) -> list[Numbers]:
    return [row[row != PADDING] for row in rows]


def _check_words(path: Path, parts: Iterable[Numbers]) -> None:
    for x in parts:
        if x.ndim != 2 or x.min() < 0 or not np.array_equal(x, np.floor(x)):
            raise InfeasibleCohortError(
                f"{path}: expected rows of whole numbers from 0; received shape {x.shape} with numbers from "
                f"{x.min():g} to {x.max():g}"
            )
