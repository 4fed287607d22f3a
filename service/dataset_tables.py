"""CSV files to datasets: numbers in columns, a column `label`, and where it pleases a column `split`."""

import csv
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from trials.npz_headers import MAX_CLASSES, WrongDatasetError

LABEL, SPLIT = "label", "split"
PARTS = ("train", "test")
MAX_COLUMNS = 10_000
MAX_ROWS = 2_000_000
MAX_CELLS = 20_000_000
MAX_CELL_CHARACTERS = 100
MAX_LINE_BYTES = 2**20
TEST_FRACTION = 0.2

Numbers = npt.NDArray[np.generic]


def write_npz(source: Path, target: IO[bytes]) -> None:
    """Turns a CSV file into an `.npz` file.

    The first row names the columns. `label` holds the class of each row: whole numbers from 0, or words, which are
    numbered in the order of the alphabet. `split` holds `train` or `test`; without it a fixed fifth of each class is
    the test part. All other columns are features.

    Raises:
        WrongDatasetError: It is not like that; the text names row and column.
    """
    try:
        with source.open("rb") as file:
            x, labels, parts = _read(csv.reader(_lines(file), strict=True))
    except csv.Error as error:
        raise WrongDatasetError("well-formed CSV", str(error)) from None
    y = _classes(labels)
    is_test = np.array([part == "test" for part in parts]) if parts else _drawn(y)
    for name, chosen in (("test", is_test), ("train", ~is_test)):
        if not chosen.any():
            raise WrongDatasetError(f"at least one row to {name} with", "none")
    np.savez(target, x_train=x[~is_test], y_train=y[~is_test], x_test=x[is_test], y_test=y[is_test])


def _lines(file: IO[bytes]) -> Iterator[str]:
    for number in range(1, MAX_ROWS + 3):
        line = file.readline(MAX_LINE_BYTES + 1)
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            raise WrongDatasetError(f"at most {MAX_LINE_BYTES:,} bytes in a line", f"more in line {number}")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise WrongDatasetError("UTF-8", f"other bytes in line {number}") from None
    raise WrongDatasetError(f"at most {MAX_ROWS:,} rows", "more")


def _read(rows: Iterator[list[str]]) -> tuple[Numbers, list[str], list[str]]:
    names = [name.strip() for name in next(rows, [])]
    _check_names(names)
    features = [place for place, name in enumerate(names) if name not in (LABEL, SPLIT)]
    label, split = names.index(LABEL), names.index(SPLIT) if SPLIT in names else None
    values, labels, parts = array("f"), [], []
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise WrongDatasetError(f"{len(names)} cells in each row", f"{len(row)} in row {number}")
        if number * len(names) > MAX_CELLS:
            raise WrongDatasetError(f"at most {MAX_CELLS:,} cells", "more")
        values.extend([_number(row[place], number, names[place]) for place in features])
        labels.append(_word(row[label], number, LABEL))
        if split is not None:
            parts.append(_part(row[split], number))
    if not labels:
        raise WrongDatasetError("rows below the names of the columns", "none")
    return np.frombuffer(values, dtype=np.float32).reshape(-1, len(features)), labels, parts


def _check_names(names: list[str]) -> None:
    if not 2 <= len(names) <= MAX_COLUMNS or len(set(names)) < len(names):
        raise WrongDatasetError(f"2 to {MAX_COLUMNS:,} columns, each name once", f"{len(names)} columns")
    if LABEL not in names or not set(names) - {LABEL, SPLIT}:
        raise WrongDatasetError(f"a column {LABEL} and at least one feature", ", ".join(names)[:200])


def _number(cell: str, row: int, column: str) -> float:
    try:
        value = float(cell) if len(cell) <= MAX_CELL_CHARACTERS and "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if not abs(value) <= float(np.finfo(np.float32).max):
        raise WrongDatasetError("a finite number", f"{cell[:40]!r} in row {row}, column {column[:40]}")
    return value


def _word(cell: str, row: int, column: str) -> str:
    word = cell.strip()
    if not 1 <= len(word) <= MAX_CELL_CHARACTERS:
        raise WrongDatasetError(f"1 to {MAX_CELL_CHARACTERS} characters", f"{len(word)} in row {row}, column {column}")
    return word


def _part(cell: str, row: int) -> str:
    part = cell.strip()
    if part not in PARTS:
        raise WrongDatasetError("train or test", f"{cell[:40]!r} in row {row}, column {SPLIT}")
    return part


def _classes(labels: list[str]) -> npt.NDArray[np.int32]:
    names = sorted(set(labels))
    if len(names) > MAX_CLASSES:
        raise WrongDatasetError(f"at most {MAX_CLASSES:,} classes", f"{len(names):,}")
    if all(name.isascii() and name.isdigit() and str(int(name)) == name for name in names):
        numbers = {name: int(name) for name in names}
    else:
        numbers = {name: number for number, name in enumerate(names)}
    if max(numbers.values()) >= MAX_CLASSES:
        raise WrongDatasetError(f"classes from 0 to {MAX_CLASSES - 1:,}", str(max(numbers.values())))
    return np.array([numbers[label] for label in labels], dtype=np.int32)


def _drawn(y: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """A fixed fifth of each class, at least one where a class has two rows."""
    is_test = np.zeros(len(y), dtype=bool)
    generator = np.random.default_rng(0)
    for number in np.unique(y):
        members = np.flatnonzero(y == number)
        n_test = max(round(TEST_FRACTION * len(members)), 1) if len(members) > 1 else 0
        is_test[generator.permutation(members)[:n_test]] = True
    return is_test
