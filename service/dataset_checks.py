"""Whether an uploaded `.npz` file is a dataset: first by its directory and headers, then number by number."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from trials.npz_headers import MAX_CLASSES, Header, WrongDatasetError, check_headers, read_header, read_headers

MAX_MEMBERS = 16
MAX_INFLATED_BYTES = 8 * 2**30
MAX_RATIO = 200
FREE_OF_RATIO_BYTES = 64 * 2**20
"""Small files may inflate as they like."""
MAX_EXAMPLES = 10_000_000
MEMBER_NAME = re.compile(r"[A-Za-z0-9_]{1,64}\.npy")
ENCRYPTED = 0x1
CHUNK_ELEMENTS = 2**18
MAX_HEADER_BYTES = 16 * 2**10

UNREADABLE = (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, KeyError, OverflowError)
"""What zipfile and numpy raise for a file that is broken."""


class DatasetShape(BaseModel):
    """What a dataset holds."""

    model_config = ConfigDict(frozen=True)

    shape: tuple[int, ...]
    n_classes: int
    n_train: int
    n_test: int


def check_npz(path: Path) -> DatasetShape:
    """Reads all of a file, a little at a time.

    Raises:
        WrongDatasetError: It is no dataset.
    """
    with _read_errors_named(), zipfile.ZipFile(path) as archive:
        found = _described(path, archive)
        for key in ("x_train", "x_test"):
            for values in _values(archive, key):
                _check_finite(key, values)
    return found


def describe_npz(path: Path) -> DatasetShape:
    """Reads a file's headers and labels.

    Raises:
        WrongDatasetError: It is no dataset.
    """
    with _read_errors_named(), zipfile.ZipFile(path) as archive:
        return _described(path, archive)


def _described(path: Path, archive: zipfile.ZipFile) -> DatasetShape:
    _check_directory(archive)
    headers = read_headers(path)
    check_headers(headers)
    _check_sizes(archive, headers)
    n_classes = 1 + max(_highest_label(archive, key) for key in ("y_train", "y_test"))
    if n_classes < 2:
        raise WrongDatasetError(f"labels of 2 to {MAX_CLASSES:,} classes, numbered from 0", "one class")
    train, test = headers["x_train"].shape, headers["x_test"].shape
    return DatasetShape(shape=train[1:], n_classes=n_classes, n_train=train[0], n_test=test[0])


@contextmanager
def _read_errors_named() -> Iterator[None]:
    try:
        yield
    except WrongDatasetError:
        raise
    except UNREADABLE as error:
        raise WrongDatasetError("a readable .npz file", str(error)[:200] or type(error).__name__) from None


def _check_directory(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(members) > MAX_MEMBERS or len(set(names)) < len(names):
        raise WrongDatasetError(f"at most {MAX_MEMBERS} arrays, each once", f"{len(names)} members")
    for member in members:
        if not MEMBER_NAME.fullmatch(member.filename) or member.flag_bits & ENCRYPTED:
            raise WrongDatasetError("members such as x_train.npy, not encrypted", repr(member.filename)[:100])
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WrongDatasetError("members stored or deflated", f"compression {member.compress_type}")
    inflated = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if inflated > max(FREE_OF_RATIO_BYTES, min(MAX_INFLATED_BYTES, packed * MAX_RATIO)):
        expected = f"at most {MAX_INFLATED_BYTES:,} bytes once inflated, and {MAX_RATIO} times the packed ones"
        raise WrongDatasetError(expected, f"{inflated:,} from {packed:,}")


def _check_sizes(archive: zipfile.ZipFile, headers: dict[str, Header]) -> None:
    for key, header in headers.items():
        surplus = archive.getinfo(f"{key}.npy").file_size - header.n_elements * header.dtype.itemsize
        if not 0 <= surplus <= MAX_HEADER_BYTES:
            raise WrongDatasetError(f"as many bytes in {key} as its header says", f"{surplus:,} more")
        if header.shape[0] > MAX_EXAMPLES:
            raise WrongDatasetError(f"at most {MAX_EXAMPLES:,} examples in {key}", f"{header.shape[0]:,}")


def _values(archive: zipfile.ZipFile, key: str) -> Iterator[npt.NDArray[np.generic]]:
    """An array's numbers, in parts; at the end the file's checksum has been compared."""
    with archive.open(f"{key}.npy") as member:
        header = read_header(member)
        left = header.n_elements
        while left:
            part = _read(member, min(left, CHUNK_ELEMENTS) * header.dtype.itemsize, key)
            values = np.frombuffer(part, dtype=header.dtype)
            left -= values.size
            yield values
        member.read(1)


def _read(member: IO[bytes], n_bytes: int, key: str) -> bytes:
    part = member.read(n_bytes)
    if len(part) < n_bytes:
        raise WrongDatasetError(f"all of {key}", "a file that ends before")
    return part


def _check_finite(key: str, values: npt.NDArray[np.generic]) -> None:
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            n_wrong = int((~np.isfinite(values.astype(np.float32))).sum())
        if n_wrong:
            raise WrongDatasetError(f"finite float32 numbers in {key}", f"{n_wrong:,} or more that are not")


def _highest_label(archive: zipfile.ZipFile, key: str) -> int:
    highest = 0
    for values in _values(archive, key):
        labels = values.astype(np.float64)
        whole = np.isfinite(labels) & (labels == np.floor(labels)) & (labels >= 0) & (labels < MAX_CLASSES)
        if not whole.all():
            expected = f"labels in {key} that are whole numbers from 0 to {MAX_CLASSES - 1:,}"
            raise WrongDatasetError(expected, f"{labels[~whole][0]:g}")
        highest = max(highest, int(labels.max(initial=0)))
    return highest
