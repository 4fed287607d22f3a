from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trials.datasets import kept
from trials.datasets.dataset import Dataset
from trials.datasets.kept import keep


def make_data(rows: int, *, own_test: bool = True) -> Dataset:
    x = np.arange(rows * 6, dtype=np.uint8).reshape(rows, 2, 3, 1)
    y = (np.arange(rows) % 2).astype(np.int32)
    test = (x[1:].copy(), y[1:].copy()) if own_test else (x, y)
    return Dataset(
        x_train=x[:-1].copy(),
        y_train=y[:-1].copy(),
        x_validation=x,
        y_validation=y,
        x_test=test[0],
        y_test=test[1],
        n_classes=2,
        divisor=255.0,
    )


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MIN_BYTES", 1)


def never() -> Dataset:
    raise AssertionError("made again")


def counted(data: Dataset) -> tuple[Callable[[], Dataset], list[int]]:
    calls: list[int] = []

    def make() -> Dataset:
        calls.append(1)
        return data

    return make, calls


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("own_test", [True, False])
def test_a_kept_dataset_comes_back_from_its_files_without_being_made(tmp_path: Path, own_test: bool) -> None:
    data = make_data(9, own_test=own_test)
    keep(tmp_path, "mine", lambda: data)

    again = keep(tmp_path, "mine", never)

    for name in ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))
        assert getattr(again, name).dtype == getattr(data, name).dtype
    assert (again.n_classes, again.divisor) == (2, 255.0)
    assert (again.x_test is again.x_validation) == (not own_test)


@pytest.mark.usefixtures("everything_is_large")
def test_a_kept_dataset_is_mapped_into_memory_not_read(tmp_path: Path) -> None:
    keep(tmp_path, "mine", lambda: make_data(9))

    assert isinstance(keep(tmp_path, "mine", never).x_train.base, np.memmap)


@pytest.mark.usefixtures("everything_is_large")
def test_another_identity_is_another_dataset(tmp_path: Path) -> None:
    keep(tmp_path, "mine", lambda: make_data(9))
    make, calls = counted(make_data(12))

    assert len(keep(tmp_path, "yours", make).x_validation) == 12
    assert calls == [1]


@pytest.mark.usefixtures("everything_is_large")
def test_only_the_datasets_used_last_stay_on_disk(tmp_path: Path) -> None:
    for number in range(kept.MAX_KEPT + 3):
        keep(tmp_path, str(number), lambda: make_data(9))

    assert len(list(tmp_path.iterdir())) == kept.MAX_KEPT
    keep(tmp_path, str(kept.MAX_KEPT + 2), never)


def test_a_small_dataset_gets_no_files(tmp_path: Path) -> None:
    keep(tmp_path / "prepared", "mine", lambda: make_data(9))

    assert not (tmp_path / "prepared").exists()


@pytest.mark.usefixtures("everything_is_large")
def test_where_nothing_can_be_written_the_dataset_stays_in_memory(tmp_path: Path) -> None:
    (tmp_path / "prepared").write_text("in the way")
    data = make_data(9)

    assert keep(tmp_path / "prepared", "mine", lambda: data) is data
