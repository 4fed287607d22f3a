"""`regtune datasets`, on the data directory itself."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.service.uploads import npz


@pytest.fixture
def here(tmp_path: Path) -> list[str]:
    return ["--here", "--data-dir", str(tmp_path / "data")]


def test_a_file_is_added_shown_listed_and_removed(here: list[str], tmp_path: Path) -> None:
    file, runner = tmp_path / "mine.npz", CliRunner()
    file.write_bytes(npz())
    added = runner.invoke(app, ["datasets", "add", str(file), "--name", "ours", "--json", *here])
    assert added.exit_code == 0, added.output
    assert json.loads(added.stdout)["n_train"] == 20
    assert runner.invoke(app, ["datasets", "add", str(file), "--name", "ours", *here]).exit_code == 1
    assert "10" in runner.invoke(app, ["datasets", "show", "ours", *here]).stdout
    listed = json.loads(runner.invoke(app, ["datasets", "list", "--json", *here]).stdout)
    assert "ours" in [item["name"] for item in listed["items"]]
    assert runner.invoke(app, ["datasets", "remove", "ours", *here]).exit_code == 0
    assert runner.invoke(app, ["datasets", "show", "ours", *here]).exit_code == 1


@pytest.mark.parametrize("name", ["missing.npz", "mine.txt"])
def test_a_file_of_another_kind_is_wrong_input(here: list[str], tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.txt").write_text("x")
    answer = CliRunner().invoke(app, ["datasets", "add", str(tmp_path / name), *here])
    assert answer.exit_code == 2
    assert "FILE: expected" in answer.stderr
