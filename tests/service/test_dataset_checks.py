"""What is taken for a dataset, and what is refused: by directory and headers first, then by its numbers."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from service.dataset_checks import DatasetShape, check_npz, describe_npz
from tests.service.uploads import members, npy, npz, zipped
from trials.datasets.npz import load_npz
from trials.npz_headers import WrongDatasetError

OBJECTS = npy(np.zeros((20, 4), np.float32)).replace(b"'<f4'", b"'|O' ")
HEADER_OF_A_TERABYTE = npy(np.zeros((20, 4), np.float32)).replace(b"(20, 4), }", b"(2000000000, 400), }")[:200]


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        npz(),
        npz(y_train=(np.arange(20) % 2).reshape(20, 1)),
        npz(more=np.zeros(3)),
        zipped(members(), zipfile.ZIP_STORED),
    ],
    ids=["plain", "column of labels", "another array", "stored"],
)
def test_a_dataset_is_described_and_what_is_taken_can_be_trained_on(tmp_path: Path, content: bytes) -> None:
    path = file_of(tmp_path, content)
    assert check_npz(path) == describe_npz(path) == DatasetShape(shape=(4,), n_classes=2, n_train=20, n_test=10)
    assert load_npz(path).x_train.shape == (20, 4)


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (b"", "zip"),
        (b"PK\x03\x04 not really", "zip"),
        (npz()[:-100], "zip"),
        (zipped({"x_train.npy": npy([1.0])}), "missing"),
        (zipped(members(x_train=OBJECTS)), "dtype object"),
        (zipped(members(x_train=npy(np.array([["text"]] * 20)))), "dtype <U4"),
        (zipped(members(x_train=npy(np.zeros((20, 4), np.complex64)))), "complex"),
        (zipped(members(x_train=b"\x80\x04\x95\x1f\x00\x00\x00")), "magic"),
        (zipped(members(x_train=HEADER_OF_A_TERABYTE)), "800,000,000,000"),
        (zipped(members(x_train=npy(np.zeros((20, 4), np.float32))[:-8])), "ends before"),
        (zipped(members(x_train=npy(np.zeros((20, 4), np.float32)) + b"x" * 20_000)), "20,1"),
        (zipped(members() | {"../x.npy": b"x"}), "'../x.npy'"),
        (zipped(members() | {"/x.npy": b"x"}), "'/x.npy'"),
        (zipped(members() | {"x.py": b"x"}), "'x.py'"),
        (zipped(members(), zipfile.ZIP_BZIP2), "compression 12"),
        (zipped(members() | {f"x{n}.npy": b"x" for n in range(20)}), "24 members"),
        (zipped(members(more=bytes(80 * 2**20))), "from"),
        (npz(x_train=np.full((20, 4), np.nan)), "80 or more"),
        (npz(x_test=np.full((10, 4), 1e300)), "40 or more"),
        (npz(y_train=np.full(20, 0.5)), "0.5"),
        (npz(y_train=np.full(20, -1)), "-1"),
        (npz(y_test=np.full(10, 10_000)), "10000"),
        (npz(y_train=np.zeros(20, int), y_test=np.zeros(10, int)), "one class"),
        (npz(y_train=np.arange(19) % 2), "(19,)"),
        (npz(x_train=np.zeros((20, 5))), "(4,)"),
        (npz(x_train=np.zeros((20, 2, 1, 1, 2))), "(20, 2, 1, 1, 2)"),
        (npz(x_train=np.zeros((20, 0)), x_test=np.zeros((10, 0))), "(20, 0)"),
    ],
    ids=range(27),
)
def test_anything_else_is_refused_with_a_reason(tmp_path: Path, content: bytes, received: str) -> None:
    with pytest.raises(WrongDatasetError) as error:
        check_npz(file_of(tmp_path, content))
    assert received in error.value.received


def test_numbers_that_a_transfer_has_changed_are_noticed(tmp_path: Path) -> None:
    content = bytearray(zipped(members(), zipfile.ZIP_STORED))
    content[content.index(b"x_train.npy") + 200] ^= 0x01
    with pytest.raises(WrongDatasetError, match="CRC"):
        check_npz(file_of(tmp_path, bytes(content)))
