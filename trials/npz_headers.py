"""What the headers of a `NAME.npz` say: enough to refuse a dataset before any of its numbers are read."""

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

KEYS = ("x_train", "y_train", "x_test", "y_test")
NUMERIC_KINDS = "biuf"
MAX_ELEMENTS = 2**30
"""Numbers in one array: 4 GiB as float32."""
MAX_CLASSES = 10_000


class WrongDatasetError(ValueError):
    """A dataset is not as expected.

    Attributes:
        expected: What it should be, or hold.
        received: What it is.
    """

    def __init__(self, expected: str, received: str) -> None:
        super().__init__(f"expected {expected}; received {received}")
        self.expected = expected
        self.received = received


@dataclass(frozen=True)
class Header:
    """Shape and kind of one array."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def n_elements(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def read_headers(path: Path) -> dict[str, Header]:
    """Reads the headers of the four arrays.

    Raises:
        WrongDatasetError: One of them is missing.
        BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError: It is no readable .npz file.
    """
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
        if missing := [key for key in KEYS if key not in names]:
            there = f"{', '.join(sorted(names))} ({', '.join(missing)} missing)"
            raise WrongDatasetError(f"keys {', '.join(KEYS)}", there)
        headers = {}
        for key in KEYS:
            with archive.open(f"{key}.npy") as member:
                headers[key] = read_header(member)
        return headers


def read_header(member: IO[bytes]) -> Header:
    """Reads one array's header; the numbers follow."""
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    return Header(shape, dtype)


def check_headers(headers: Mapping[str, Header]) -> None:
    """Returns if the headers are those of a dataset that can be trained on.

    Raises:
        WrongDatasetError: They are not.
    """
    for key, header in headers.items():
        if header.dtype.kind not in NUMERIC_KINDS:
            raise WrongDatasetError(f"numbers in {key}", f"dtype {header.dtype}")
        if header.n_elements > MAX_ELEMENTS:
            raise WrongDatasetError(f"at most {MAX_ELEMENTS:,} numbers in {key}", f"{header.n_elements:,}")
    for part in ("train", "test"):
        x, y = headers[f"x_{part}"].shape, headers[f"y_{part}"].shape
        if not 2 <= len(x) <= 4 or min(x) < 1:
            raise WrongDatasetError(f"x_{part} of 2 to 4 axes, none empty", f"shape {x}")
        if y not in ((x[0],), (x[0], 1)):
            raise WrongDatasetError(f"y_{part} of shape ({x[0]},), one label per example", f"shape {y}")
    shapes = headers["x_train"].shape[1:], headers["x_test"].shape[1:]
    if shapes[0] != shapes[1]:
        expected = f"test examples of shape {shapes[0]}, like the training examples"
        raise WrongDatasetError(expected, f"{shapes[1]}")
