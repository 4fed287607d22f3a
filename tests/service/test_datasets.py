"""Datasets as files: added whole or not at all, and not removed while a study needs them."""

import errno
import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database.engine import Database
from service.dataset_drafts import PREFIX, draft_in, remove_orphans, room_needed
from service.datasets import Datasets
from service.errors import (
    DatasetInUseError,
    DatasetNameTakenError,
    DatasetNotFoundError,
    DiskFullError,
    InvalidDatasetError,
    InvalidStudySpecError,
)
from tests.laboratory import Laboratory, open_laboratory
from tests.service.uploads import csv_of, npz
from tests.specs import small_grid


@pytest.fixture
def lab(any_database: Database, tmp_path: Path) -> Iterator[Laboratory]:
    (tmp_path / "datasets").mkdir()
    with open_laboratory(any_database, tmp_path) as laboratory:
        yield laboratory


@pytest.fixture
def datasets(lab: Laboratory) -> Datasets:
    return Datasets(lab.database, lab.settings.data_dir / "datasets")


def add(datasets: Datasets, folder: Path, name: str, content: bytes, suffix: str = ".npz") -> None:
    source = folder / f"source{suffix}"
    source.write_bytes(content)
    datasets.add_file(source, name)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "datasets").iterdir())


def test_a_dataset_is_added_listed_and_trained_on_by_its_name(
    lab: Laboratory, datasets: Datasets, tmp_path: Path
) -> None:
    add(datasets, tmp_path, "mine", npz())
    add(datasets, tmp_path, "table", csv_of("a,label", *(f"{n},{n % 3}" for n in range(30))), ".csv")
    shapes = {view.name: (view.shape, view.n_classes, view.n_train) for view in datasets.list_datasets()}
    assert (shapes["mine"], shapes["table"]) == (((4,), 2, 20), ((1,), 3, 24))
    assert shapes["digits"] == ((8, 8, 1), 10, None)
    assert lab.studies.create(small_grid(dataset="mine")).state == "queued"
    assert files(tmp_path) == ["mine.npz", "table.npz"]


@pytest.mark.parametrize("content", [b"", b"PK", npz()[:500]])
def test_what_is_no_dataset_leaves_no_file(datasets: Datasets, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidDatasetError):
        add(datasets, tmp_path, "mine", content)
    assert files(tmp_path) == []


def test_a_name_is_given_once_also_to_those_who_ask_at_the_same_time(datasets: Datasets, tmp_path: Path) -> None:
    outcomes: list[str] = []
    gate = threading.Barrier(4)

    def enter() -> None:
        with datasets.draft() as draft:
            draft.file.write(npz())
            gate.wait()
            try:
                outcomes.append(datasets.publish(draft, "mine", "npz").name)
            except DatasetNameTakenError:
                outcomes.append("taken")

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["mine", "taken", "taken", "taken"]
    for name in ("mine", "digits", "mnist"):
        with pytest.raises(DatasetNameTakenError):
            add(datasets, tmp_path, name, npz())
    assert files(tmp_path) == ["mine.npz"]


def test_a_dataset_stays_while_an_unfinished_study_needs_it(
    lab: Laboratory, datasets: Datasets, tmp_path: Path
) -> None:
    add(datasets, tmp_path, "mine", npz())
    study = lab.studies.create(small_grid(dataset="mine"))
    with pytest.raises(DatasetInUseError, match=study.id):
        datasets.remove("mine")
    lab.studies.cancel(study.id)
    datasets.remove("mine")
    assert files(tmp_path) == []
    with pytest.raises(InvalidStudySpecError):
        lab.studies.create(small_grid(dataset="mine"))


@pytest.mark.parametrize("name", ["nope", "", "..", "../token", "a/b", "x" * 300, ".draft-x"])
def test_names_of_no_dataset_are_not_found(datasets: Datasets, name: str) -> None:
    for ask in (datasets.get, datasets.remove):
        with pytest.raises(DatasetNotFoundError):
            ask(name)


def test_built_in_data_stay(datasets: Datasets) -> None:
    with pytest.raises(DatasetInUseError):
        datasets.remove("digits")


def _die_amid_a_draft(folder: Path) -> None:
    with draft_in(folder) as draft:
        draft.file.write(b"half")
        draft.file.flush()
        os._exit(0)


def test_drafts_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_die_amid_a_draft, args=(tmp_path,))
    writer.start()
    writer.join()
    assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 1
    with draft_in(tmp_path) as draft:
        assert remove_orphans(tmp_path) == 1
        assert [path.name for path in tmp_path.iterdir()] == [draft.path.name]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told(number: int) -> None:
    with pytest.raises(DiskFullError), room_needed():
        raise OSError(number, os.strerror(number))
