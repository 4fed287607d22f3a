import os
from pathlib import Path

import pytest

from trials.executors.cluster.node import MAX_STORED_DATASETS, NodeSlot, node_folder
from trials.executors.trainer import PROGRAMS


def content(text: str) -> memoryview:
    return memoryview(text.encode())


def unwanted() -> memoryview:
    raise AssertionError("fetched although this machine has it")


def test_slots_of_one_machine_have_numbers_folders_and_cores_of_their_own(tmp_path: Path) -> None:
    slots = [NodeSlot(tmp_path) for _ in range(2)]

    assert [slot.number for slot in slots] == [0, 1]
    assert slots[0].folder != slots[1].folder
    cores = sorted(os.sched_getaffinity(0))
    assert [slot.core for slot in slots] == [cores[0], cores[1 % len(cores)]]


def test_slots_of_one_machine_share_compiled_programs(tmp_path: Path) -> None:
    (tmp_path / "slot-1" / "datasets" / PROGRAMS).mkdir(parents=True)
    first, second = NodeSlot(tmp_path), NodeSlot(tmp_path)
    (first.datasets_dir / PROGRAMS / "one").write_text("compiled")

    assert (second.datasets_dir / PROGRAMS / "one").read_text() == "compiled"


def test_a_slot_that_was_given_back_is_taken_next(tmp_path: Path) -> None:
    first, second = NodeSlot(tmp_path), NodeSlot(tmp_path)
    first.close()

    assert NodeSlot(tmp_path).number == 0
    assert second.number == 1


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)

    with pytest.raises(PermissionError, match="this user"):
        NodeSlot(tmp_path)


def test_a_dataset_is_fetched_once_per_machine(tmp_path: Path) -> None:
    slots = [NodeSlot(tmp_path) for _ in range(2)]
    slots[0].provide("mine", "d1", lambda: content("one"))
    slots[1].provide("mine", "d1", unwanted)
    slots[1].provide("mine", "d1", unwanted)

    assert [(slot.datasets_dir / "mine.npz").read_text() for slot in slots] == ["one", "one"]


def test_a_newer_file_of_the_same_name_does_not_change_what_another_slot_has(tmp_path: Path) -> None:
    slots = [NodeSlot(tmp_path) for _ in range(2)]
    for slot in slots:
        slot.provide("mine", "d1", lambda: content("one"))
    slots[1].provide("mine", "d2", lambda: content("two"))

    assert [(slot.datasets_dir / "mine.npz").read_text() for slot in slots] == ["one", "two"]


def test_a_withheld_dataset_is_gone_from_the_slot_alone(tmp_path: Path) -> None:
    slots = [NodeSlot(tmp_path) for _ in range(2)]
    for slot in slots:
        slot.provide("mine", "d1", lambda: content("one"))
    slots[0].withhold("mine")
    slots[0].withhold("mine")

    assert [(slot.datasets_dir / "mine.npz").exists() for slot in slots] == [False, True]


def test_the_store_keeps_a_few_datasets_and_slots_keep_theirs(tmp_path: Path) -> None:
    slot = NodeSlot(tmp_path)
    for number in range(MAX_STORED_DATASETS + 3):
        slot.provide(f"set-{number}", f"d{number}", lambda: content("x"))

    assert len(list((tmp_path / "datasets").iterdir())) == MAX_STORED_DATASETS
    assert (slot.datasets_dir / "set-0.npz").read_text() == "x"
    assert list(slot.folder.glob("*.draft")) == []


def test_the_folder_of_a_machine_is_what_the_operator_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUNE_NODE_DIR", "/somewhere")
    assert node_folder() == Path("/somewhere")
    monkeypatch.delenv("REGTUNE_NODE_DIR")
    assert str(os.getuid()) in node_folder().name
