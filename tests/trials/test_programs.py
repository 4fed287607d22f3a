import os
import subprocess
import sys
from pathlib import Path

import pytest

from trials import programs
from trials.programs import DIRECTORY_VARIABLE, forget_programs, keeping_programs

PROGRAM = """
from tests.trials.engine.cohorts import cohort, digits, drive, lane, mlp
drive(cohort([lane(0)], epochs=1, grafts=()), digits(), mlp(4))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_process_leaves_its_programs_for_the_next_one(tmp_path: Path, backend: str) -> None:
    if backend == "jax":
        pytest.importorskip("jax")
    environment = os.environ | keeping_programs(tmp_path) | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    kept = Path(environment[DIRECTORY_VARIABLE])

    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
    first = {path.name: path.stat().st_mtime_ns for path in kept.iterdir() if not path.name.endswith("-atime")}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
    second = {path.name: path.stat().st_mtime_ns for path in kept.iterdir() if not path.name.endswith("-atime")}

    assert any(kept.joinpath(name).stat().st_size > 10_000 for name in first)
    assert second == first


def test_only_the_newest_programs_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MAX_KEPT", 3)
    own = Path(keeping_programs(tmp_path)[DIRECTORY_VARIABLE])
    for number in range(5):
        (own / str(number)).write_text("program")
        os.utime(own / str(number), (number, number))

    keeping_programs(tmp_path)

    assert {path.name for path in own.iterdir()} == {"2", "3", "4"}


def test_programs_that_cannot_be_read_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    (tmp_path / "torn").write_bytes(b"half")

    forget_programs()

    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert keeping_programs(tmp_path / "file") == {}
