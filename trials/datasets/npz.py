"""Datasets as `NAME.npz` files: checked by their headers before anything is read."""

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trials.datasets.dataset import Examples, Labels, RawDataset
from trials.errors import InfeasibleCohortError
from trials.npz_headers import MAX_CLASSES, WrongDatasetError, check_headers, read_headers


def load_npz(path: Path) -> RawDataset:
    """Reads a dataset; other keys than the four are left alone.

    Args:
        path: A file with `x_train, y_train, x_test, y_test`: numbers, finite, examples along the first axis; labels are
            whole numbers from 0, shape `(n,)` or `(n, 1)`.

    Raises:
        InfeasibleCohortError: The file is not like that; the text names the file, what was expected and what came.
    """
    try:
        check_headers(read_headers(path))
        with np.load(path, allow_pickle=False) as arrays:
            x_train, x_test = (_examples(path, key, arrays[key]) for key in ("x_train", "x_test"))
            y_train, y_test = (_labels(path, key, arrays[key]) for key in ("y_train", "y_test"))
    except WrongDatasetError as error:
        raise _wrong(path, error.expected, error.received) from None
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise InfeasibleCohortError(f"{path}: expected a readable .npz file; received {error}") from error
    n_classes = int(max(y_train.max(), y_test.max())) + 1
    if not 2 <= n_classes <= MAX_CLASSES:
        raise _wrong(path, f"labels of 2 to {MAX_CLASSES:,} classes, numbered from 0", f"{n_classes} classes")
    return RawDataset(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, n_classes=n_classes)


def _examples(path: Path, key: str, values: npt.NDArray[np.generic]) -> Examples:
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    with np.errstate(over="ignore"):
        converted = values.astype(np.float32)
    if not np.isfinite(converted).all():
        n_wrong = int((~np.isfinite(converted)).sum())
        raise _wrong(path, f"finite float32 numbers in {key}", f"{n_wrong:,} that are NaN or infinite")
    return converted


def _labels(path: Path, key: str, values: npt.NDArray[np.generic]) -> Labels:
    flat = values.reshape(-1).astype(np.float64)
    whole = np.isfinite(flat) & (flat == np.floor(flat)) & (flat >= 0) & (flat < MAX_CLASSES)
    if not whole.all():
        first = flat[~whole][0]
        raise _wrong(path, f"labels in {key} that are whole numbers from 0 to {MAX_CLASSES - 1:,}", f"{first:g}")
    return flat.astype(np.int32)


def _wrong(path: Path, expected: str, received: str) -> InfeasibleCohortError:
    return InfeasibleCohortError(f"{path}: expected {expected}; received {received}")
