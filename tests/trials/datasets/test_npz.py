import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from search_spaces.datasets import NamedRef
from trials.datasets import load
from trials.datasets.npz import load_npz
from trials.errors import InfeasibleCohortError

Arrays = Mapping[str, npt.NDArray[Any]]

GOOD: Arrays = {
    "x_train": np.arange(24, dtype=np.float64).reshape(6, 4),
    "y_train": np.array([0, 1, 2, 0, 1, 2]),
    "x_test": np.ones((2, 4), np.float32),
    "y_test": np.array([[2], [0]], np.uint8),
}


def write(folder: Path, changes: Mapping[str, npt.NDArray[Any] | None] | None = None) -> Path:
    path = folder / "mine.npz"
    arrays = {key: value for key, value in {**GOOD, **(changes or {})}.items() if value is not None}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # the stub takes the first keyword for allow_pickle
    return path


def test_a_file_in_the_data_directory_is_a_dataset_of_its_name(tmp_path: Path) -> None:
    write(tmp_path)

    raw = load(NamedRef(name="mine"), tmp_path)

    assert raw.n_classes == 3
    assert raw.x_train.dtype == np.float32
    assert raw.y_test.dtype == np.int32
    np.testing.assert_array_equal(raw.y_test, [2, 0])
    np.testing.assert_array_equal(raw.x_train, GOOD["x_train"])


def test_bytes_stay_bytes(tmp_path: Path) -> None:
    images = np.full((6, 4), 200, np.uint8)

    assert load_npz(write(tmp_path, {"x_train": images})).x_train.dtype == np.uint8


def test_other_arrays_are_left_alone(tmp_path: Path) -> None:
    names = np.array([{"any": "object"}], dtype=object)

    assert load_npz(write(tmp_path, {"feature_names": names})).n_classes == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, r"expected keys x_train, y_train, x_test, y_test; received .*\(y_test missing\)"),
        ({"x_train": np.array([["a"] * 4] * 6)}, r"expected numbers in x_train; received dtype <U1"),
        ({"x_train": np.array([[None] * 4] * 6)}, r"expected numbers in x_train; received dtype object"),
        ({"x_train": np.ones((6, 4), complex)}, r"expected numbers in x_train; received dtype complex128"),
        ({"y_train": np.zeros(5)}, r"expected y_train of shape \(6,\), one label per example; received shape \(5,\)"),
        ({"y_train": np.zeros((6, 3))}, r"received shape \(6, 3\)"),
        ({"x_test": np.ones((2, 5))}, r"expected test examples of shape \(4,\), .*; received \(5,\)"),
        ({"x_train": np.ones(6)}, r"expected x_train of 2 to 4 axes"),
        ({"x_test": np.ones((0, 4)), "y_test": np.ones(0)}, r"expected x_test of 2 to 4 axes, none empty"),
        ({"x_train": np.full((6, 4), np.nan)}, r"expected finite float32 numbers in x_train; received 24 that are"),
        ({"x_test": np.full((2, 4), 1e300)}, r"expected finite float32 numbers in x_test; received 8 that are"),
        ({"y_train": np.array([0, 1, 2, -1, 0, 0])}, r"labels in y_train that are whole numbers .*; received -1"),
        ({"y_train": np.array([0, 1, 0.5, 0, 0, 0])}, r"labels in y_train that are whole numbers .*; received 0.5"),
        ({"y_train": np.array([0, 1, np.nan, 0, 0, 0])}, r"labels in y_train that are whole numbers .*; received nan"),
        ({"y_train": np.zeros(6), "y_test": np.zeros(2)}, r"labels of 2 to 10,000 classes.*; received 1 classes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_a_bad_file_is_refused_by_name_with_expected_and_received(
    changes: dict[str, npt.NDArray[Any] | None], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, changes)

    with pytest.raises(InfeasibleCohortError, match=message) as refused:
        load_npz(path)

    assert str(path) in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"], ids=["empty", "text", "cut off"])
def test_a_file_that_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(content)

    with pytest.raises(InfeasibleCohortError, match=r"mine\.npz: expected a readable \.npz file; received"):
        load_npz(path)


def test_a_header_that_claims_more_than_memory_holds_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    path = write(tmp_path, {"x_train": None})
    with zipfile.ZipFile(path, "a") as archive, archive.open("x_train.npy", "w") as member:
        claim = {"descr": "<f8", "fortran_order": False, "shape": (9_999_999_999, 4)}
        np.lib.format.write_array_header_1_0(member, claim)

    with pytest.raises(
        InfeasibleCohortError, match=r"at most 1,073,741,824 numbers in x_train; received 39,999,999,996"
    ):
        load_npz(path)
