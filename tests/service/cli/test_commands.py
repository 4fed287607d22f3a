"""The commands: results on standard output, reasons on standard error, exit status 0, 1 or 2."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from search_spaces.presets import preset_names
from service.cli import app
from service.composition import compose
from service.settings import Settings

MAX_HELP_SECONDS = 0.5
COMMANDS = (
    *("demo", "run", "validate", "grid", "serve", "api", "coordinator", "submit", "list", "show", "watch", "effects"),
    *("pause", "resume", "cancel", "delete", "presets", "doctor", "import-model"),
)

GRID = ["grid", "--dataset", "digits", "--hidden", "8", "--dropout", "0,0.5", "--epochs", "2", "--replicates", "2"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def regtune(data_dir: Path, *arguments: str) -> Result:
    environment = {"REGTUNE_DATA_DIR": str(data_dir), "REGTUNE_EXECUTOR": "inline", "REGTUNE_PORT": "9"}
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    assert all(re.search(rf"^\W*{command} ", text, flags=re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_help_comes_at_once_and_imports_nothing_heavy() -> None:
    program = "import sys, service.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-m", "service.cli", "--help"], check=True, capture_output=True)
        after = os.times()  # the child's own seconds: what else the machine does must not decide
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "typer" in loaded
    assert {"pydantic", "numpy", "optuna", "fastapi", "sqlalchemy", "httpx"}.isdisjoint(loaded)
    assert min(seconds) < MAX_HELP_SECONDS


def test_a_grid_is_trained_and_its_effects_are_printed_as_json(data_dir: Path) -> None:
    result = regtune(data_dir, *GRID, "--json")
    assert result.exit_code == 0, result.output
    effects: dict[str, Any] = json.loads(result.stdout)
    assert effects["study"]["name"] == "digits-grid"
    assert effects["study"]["replicates"] == 4
    assert [level["value"] for level in effects["regularizers"][0]["levels"]] == [0.0, 0.5]
    assert "is finished" in result.stderr


def test_a_study_file_is_run_and_its_effect_table_printed(data_dir: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: from a file\ndataset: digits\nmodel: {family: mlp, hidden_units: [8]}\n"
        "regularizers: {l2: {factor: {grid: [1e-4]}, optional: true}}\n"
        "training: {epochs: 2}\nsearch: {sampler: grid}\nbudget: {replicates: 2}\n"
    )
    result = regtune(data_dir, "run", str(study))
    assert result.exit_code == 0, result.output
    assert "0.0001" in result.stdout
    assert "Noise floor" in result.stdout


def test_a_study_whose_data_cannot_be_had_fails_with_status_1(data_dir: Path, tmp_path: Path) -> None:
    datasets = data_dir / "datasets"
    datasets.mkdir(parents=True)
    (datasets / "mnist.npz").write_bytes(b"no archive")
    result = regtune(data_dir, "grid", "--dataset", "mnist", "--dropout", "0,0.5", "--replicates", "1", "--epochs", "1")
    assert result.exit_code == 1
    assert "is failed" in result.stderr
    assert "mnist.npz" in result.stderr


WRONG: list[tuple[list[str], str]] = [
    (["run", "dmo"], "study: expected a YAML or JSON file, or one of the presets"),
    (["validate", "nope.yaml"], "received nope.yaml"),
    (["grid", "--dataset", "nope"], "dataset: expected one of circles"),
    (["grid", "--dataset", "digits", "--dropout", "0:1:0.5"], "regularizers.dropout.rate: expected a number from 0 to"),
    (["grid", "--dataset", "digits", "--hidden", "x"], "--hidden: expected integers"),
    (["grid", "--dataset", "circles", "--augmentation", "none,shift"], "regularizers.augmentation: expected nothing"),
    (["grid", "--dataset", "digits", "--protocol", "x"], "evaluation.protocol: expected 'held_out' or 'as_published'"),
    (["serve", "--port", "99999"], "--port: expected at most 65535; received 99999"),
    (["serve", "--executor", "magic"], "--executor: expected 'processes', 'ray' or 'inline'; received \"magic\""),
    (["serve", "--host", "192.0.2.1"], "--host: expected one of 127.0.0.1"),
    (["validate", "demo", "--database", "mysql://me:secret@there/x"], "--database: expected sqlite:///FILE or"),
    (["effects", "abc", "--format", "xlsx"], "Invalid value for '--format'"),
    (["run"], "Missing argument 'STUDY'"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_input_ends_with_status_2_and_says_why(data_dir: Path, arguments: list[str], message: str) -> None:
    result = regtune(data_dir, *arguments)
    assert result.exit_code == 2
    assert message in re.sub(r"[│\s]+", " ", result.stderr)
    assert "secret" not in result.output
    assert result.stdout == ""
    assert not isinstance(result.exception, Exception)


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["show", "abc"], ["submit", "demo"], ["pause", "abc"], ["delete", "abc"]],
    ids=lambda a: a[0],
)
def test_without_a_server_its_commands_fail_with_the_way_to_start_one(data_dir: Path, arguments: list[str]) -> None:
    without_token = regtune(data_dir, *arguments)
    compose(Settings(data_dir=data_dir))
    without_server = regtune(data_dir, *arguments)
    for result in (without_token, without_server):
        assert result.exit_code == 1
        assert "`regtune serve`" in result.stderr


def test_validation_counts_points_and_replicates(data_dir: Path) -> None:
    estimate = json.loads(regtune(data_dir, "validate", "b-grid", "--json").stdout)
    assert (estimate["points"], estimate["replicates"]) == (10, 300)
    told = regtune(data_dir, "validate", "b-grid").stdout
    assert "points: 10" in told
    assert re.search(r"hidden_1_dropout +LaneDropout +500 +0 +dropout", told)
    assert "hidden_1" not in regtune(data_dir, "validate", "b-grid", "--no-layers").stdout


def test_presets_are_listed_with_their_studies(data_dir: Path) -> None:
    listed = json.loads(regtune(data_dir, "presets", "--json").stdout)["items"]
    assert [preset["name"] for preset in listed] == list(preset_names())
    table = regtune(data_dir, "presets").stdout
    assert all(name in table for name in preset_names())


def test_the_doctor_finds_a_fresh_installation_well(data_dir: Path) -> None:
    result = regtune(data_dir, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)["items"]}
    assert result.exit_code == 0
    assert {"python", "packages", "data dir", "database", "cores", "gpu", "datasets"} == set(findings)


def test_the_doctor_fails_where_the_data_directory_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = regtune(tmp_path / "file" / "data", "doctor")
    assert result.exit_code == 1
    assert "FAIL  data dir" in result.stdout
