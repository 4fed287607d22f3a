"""Commands against a server that is really there."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from service.app import create_app
from service.cli import app
from service.server import listen
from tests.service.conftest import Finished


@pytest.fixture(scope="module")
def environment(finished: Finished) -> Iterator[dict[str, str]]:
    settings = finished.services.settings.model_copy(update={"port": 0})
    listener = listen(settings)
    config = uvicorn.Config(create_app(settings, finished.services), lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield {"REGTUNE_DATA_DIR": str(settings.data_dir), "REGTUNE_PORT": str(listener.getsockname()[1])}
    server.should_exit = True
    thread.join()


def regtune(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_studies_are_listed_and_shown(environment: dict[str, str], finished: Finished) -> None:
    listed = json.loads(regtune(environment, "list", "--state", "finished", "--json").stdout)["items"]
    assert [study["id"] for study in listed] == [finished.study.id]
    assert finished.study.id in regtune(environment, "list").stdout
    shown = regtune(environment, "show", finished.study.id).stdout
    assert "dropout.rate=0.5" in shown
    assert json.loads(regtune(environment, "show", finished.study.id, "--json").stdout)["state"] == "finished"


def test_a_finished_study_is_watched_to_its_end(environment: dict[str, str], finished: Finished) -> None:
    result = regtune(environment, "watch", finished.study.id)
    assert result.exit_code == 0
    assert f"study {finished.study.id} is finished" in result.stdout


@pytest.mark.parametrize(
    ("form", "beginning"), [("json", b"{"), ("csv", b"study"), ("html", b"<!doctype html>"), ("png", b"\x89PNG")]
)
def test_effects_are_written_to_a_file(
    environment: dict[str, str], finished: Finished, tmp_path: Path, form: str, beginning: bytes
) -> None:
    output = tmp_path / f"effects.{form}"
    result = regtune(environment, "effects", finished.study.id, "--format", form, "--output", str(output))
    assert result.exit_code == 0, result.output
    assert output.read_bytes()[: len(beginning)].lower() == beginning.lower()


def test_effects_are_printed_as_a_table_or_as_json(environment: dict[str, str], finished: Finished) -> None:
    assert "dropout" in regtune(environment, "effects", finished.study.id).stdout
    assert json.loads(regtune(environment, "effects", finished.study.id, "--json").stdout)["regularizers"]


def test_a_study_is_submitted_steered_and_deleted(environment: dict[str, str]) -> None:
    study = json.loads(regtune(environment, "submit", "b-dropout", "--json").stdout)
    states = [
        json.loads(regtune(environment, verb, study["id"], "--json").stdout)["state"]
        for verb in ("pause", "resume", "cancel")
    ]
    assert states == ["paused", "queued", "cancelled"]
    assert regtune(environment, "watch", study["id"]).exit_code == 1
    assert regtune(environment, "delete", study["id"]).exit_code == 0
    gone = regtune(environment, "show", study["id"])
    assert (gone.exit_code, gone.stdout) == (1, "")
    assert "Study not found" in gone.stderr


def test_a_conflict_is_told_with_status_1(environment: dict[str, str], finished: Finished) -> None:
    result = regtune(environment, "pause", finished.study.id)
    assert result.exit_code == 1
    assert "State conflict" in result.stderr
