"""CSV files that become datasets, and those that do not."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.dataset_tables import write_npz
from tests.service.uploads import csv_of
from trials.npz_headers import WrongDatasetError


def converted(folder: Path, content: bytes) -> dict[str, Any]:
    path, target = folder / "table.csv", io.BytesIO()
    path.write_bytes(content)
    write_npz(path, target)
    target.seek(0)
    with np.load(target, allow_pickle=False) as arrays:
        return dict(arrays)


def test_the_column_split_says_which_rows_test(tmp_path: Path) -> None:
    data = converted(tmp_path, csv_of("a,label,b,split", "1,no,2,train", "3,yes,4.5,test", "-1e3,yes,0,train"))
    assert data["x_train"].tolist() == [[1, 2], [-1000, 0]]
    assert data["y_train"].tolist() == [0, 1]
    assert (data["x_test"].tolist(), data["y_test"].tolist()) == ([[3, 4.5]], [1])


def test_without_it_a_fixed_fifth_of_each_class_tests(tmp_path: Path) -> None:
    rows = [f"{n},{n % 2 + 3}" for n in range(50)]
    data = converted(tmp_path, b"\xef\xbb\xbf" + csv_of("x,label", *rows))
    assert np.bincount(data["y_test"]).tolist() == [0, 0, 0, 5, 5]
    assert sorted([*data["x_train"].ravel(), *data["x_test"].ravel()]) == list(range(50))
    again = converted(tmp_path, csv_of("x,label", *rows))
    assert np.array_equal(again["x_test"], data["x_test"])


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (b"", "0 columns"),
        (csv_of("a,b", "1,2"), "a, b"),
        (csv_of("label,split", "1,train"), "label, split"),
        (csv_of("a,a,label", "1,2,3"), "3 columns"),
        (csv_of("a,label"), "none"),
        (csv_of("a,label", "1,0", "2,1,3"), "3 in row 3"),
        (csv_of("a,label", "1,0", ",1"), "'' in row 3, column a"),
        (csv_of("a,label", "nan,0"), "'nan' in row 2"),
        (csv_of("a,label", "1e39,0"), "'1e39' in row 2"),
        (csv_of("a,label", "1_0,0"), "'1_0' in row 2"),
        (csv_of("a,label", "=1+1,0"), "'=1+1' in row 2"),
        (csv_of("a,label", "1,"), "0 in row 2"),
        (csv_of("a,label,split", "1,0,dev"), "'dev' in row 2"),
        (csv_of("a,label,split", "1,0,train", "1,1,train"), "none"),
        (csv_of("a,label", "1,10000", "2,0", "3,0"), "10000"),
        (csv_of("a,label", '1,"0'), "unexpected end"),
        (csv_of("a,label", "1,\xff").replace(b"\xc3\xbf", b"\xff"), "line 2"),
        (b"a,label\n" + b"1" * 2**21, "line 2"),
    ],
    ids=range(18),
)
def test_a_table_of_another_kind_is_refused_by_row_and_column(tmp_path: Path, content: bytes, received: str) -> None:
    with pytest.raises(WrongDatasetError) as error:
        converted(tmp_path, content)
    assert received in error.value.received
