"""Datasets as `NAME.npz` files: checked by their headers before anything is read."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trials.datasets.dataset import Examples, Labels, RawDataset
from trials.errors import InfeasibleCohortError

KEYS = ("x_train", "y_train", "x_test", "y_test")
NUMERIC_KINDS = "biuf"
MAX_ELEMENTS = 2**30
"""Numbers in one array: 4 GiB as float32."""
MAX_CLASSES = 10_000


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]


def load_npz(path: Path) -> RawDataset:
    """Reads a dataset; other keys than the four are left alone.

    Args:
        path: A file with `x_train, y_train, x_test, y_test`: numbers, finite, examples along the first axis; labels are
            whole numbers from 0, shape `(n,)` or `(n, 1)`.

    Raises:
        InfeasibleCohortError: The file is not like that; the text names the file, what was expected and what came.
    """
    try:
        headers = _read_headers(path)
        _check_headers(path, headers)
        with np.load(path, allow_pickle=False) as arrays:
            x_train, x_test = (_examples(path, key, arrays[key]) for key in ("x_train", "x_test"))
            y_train, y_test = (_labels(path, key, arrays[key]) for key in ("y_train", "y_test"))
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise InfeasibleCohortError(f"{path}: expected a readable .npz file; received {error}") from error
    n_classes = int(max(y_train.max(), y_test.max())) + 1
    if not 2 <= n_classes <= MAX_CLASSES:
        raise _wrong(path, f"labels of 2 to {MAX_CLASSES:,} classes, numbered from 0", f"{n_classes} classes")
    return RawDataset(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, n_classes=n_classes)


def _read_headers(path: Path) -> dict[str, _Header]:
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
        if missing := [key for key in KEYS if key not in names]:
            raise _wrong(path, f"keys {', '.join(KEYS)}", f"{', '.join(sorted(names))} ({', '.join(missing)} missing)")
        return {key: _read_header(archive, f"{key}.npy") for key in KEYS}


def _read_header(archive: zipfile.ZipFile, name: str) -> _Header:
    with archive.open(name) as member:
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    return _Header(shape, dtype)


def _check_headers(path: Path, headers: Mapping[str, _Header]) -> None:
    for key, header in headers.items():
        if header.dtype.kind not in NUMERIC_KINDS:
            raise _wrong(path, f"numbers in {key}", f"dtype {header.dtype}")
        if (n_elements := int(np.prod([float(size) for size in header.shape]))) > MAX_ELEMENTS:
            raise _wrong(path, f"at most {MAX_ELEMENTS:,} numbers in {key}", f"{n_elements:,}")
    for part in ("train", "test"):
        x, y = headers[f"x_{part}"].shape, headers[f"y_{part}"].shape
        if not 2 <= len(x) <= 4 or min(x) < 1:
            raise _wrong(path, f"x_{part} of 2 to 4 axes, none empty", f"shape {x}")
        if y not in ((x[0],), (x[0], 1)):
            raise _wrong(path, f"y_{part} of shape ({x[0]},), one label per example", f"shape {y}")
    shapes = headers["x_train"].shape[1:], headers["x_test"].shape[1:]
    if shapes[0] != shapes[1]:
        raise _wrong(path, f"test examples of shape {shapes[0]}, like the training examples", f"{shapes[1]}")


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
