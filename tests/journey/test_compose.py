"""The services of docker-compose.yml, started on this machine by their own commands with their own environment."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from tests.databases import fresh_postgresql
from tests.deploy.test_manifests import make_secrets
from tests.journey.ports import free_port

pytestmark = pytest.mark.journey

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
WAIT_SECONDS = 240.0
STUDY = {
    "name": "composed",
    "dataset": "digits",
    "model": {"family": "mlp", "hidden_units": [16]},
    "regularizers": {"dropout": {"rate": {"grid": [0.0, 0.3]}}},
    "training": {"epochs": 3},
    "search": {"sampler": "grid"},
    "budget": {"replicates": 2},
}


class Composition:
    """Services without containers: what tells them apart in a network of containers is put in terms of this machine.

    Args:
        folder: Stands for the volumes; short, as sockets lie in it.
        replaced: Text of docker-compose.yml or of the env files, and what stands for it here.
    """

    def __init__(self, folder: Path, replaced: dict[str, str]) -> None:
        self._folder = folder
        self._secrets = make_secrets(folder)
        self._replaced = replaced

    @contextmanager
    def started(self, name: str) -> Iterator[None]:
        """A service, started as it would be in its container; healthy where it says what that is."""
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                self._here(SERVICES[name]["command"]), env=self._environment(name), stdout=log, stderr=log
            )
        try:
            if check := SERVICES[name].get("healthcheck"):
                until(lambda: self._passes(name, check["test"]), f"{name} to be healthy")
            yield
            assert process.poll() is None, f"{name} ended"
        finally:
            family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
            process.terminate()
            _, alive = psutil.wait_procs(family, timeout=20)
            for straggler in alive:
                straggler.kill()
            process.wait()

    def log(self, name: str) -> str:
        """What a service has said."""
        return (self._folder / f"{name}.log").read_text()

    def _passes(self, name: str, test: list[str]) -> bool:
        assert test[0] == "CMD"
        done = subprocess.run(
            self._here(test[1:]), env=self._environment(name), capture_output=True, timeout=30, check=False
        )
        return done.returncode == 0

    def _environment(self, name: str) -> dict[str, str]:
        given: dict[str, str] = {}
        for path in SERVICES[name]["env_file"]:
            lines = (self._secrets / Path(path).name).read_text().splitlines()
            given |= dict(line.split("=", 1) for line in lines)
        given |= SERVICES[name].get("environment", {})
        machine = dict.fromkeys(("HOME", "TMPDIR", "RAY_TMPDIR"), str(self._folder))
        machine["PATH"] = f"{BIN}:{os.environ['PATH']}"
        return machine | dict(zip(given, self._here(list(given.values())), strict=True))

    def _here(self, words: list[str]) -> list[str]:
        for old, new in self._replaced.items():
            words = [word.replace(old, new) for word in words]
        return words


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS:g} s for {what}"
        time.sleep(0.5)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rt-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_composed_services_run_a_study_to_its_end(short_folder: Path, postgresql: str) -> None:
    pytest.importorskip("ray", reason="ray is not installed")
    password = (make_secrets(short_folder) / "service.env").read_text().split("regtune:")[1].split("@")[0]
    port = free_port()
    replaced = {
        f"postgresql+psycopg://regtune:{password}@database:5432/regtune": fresh_postgresql(postgresql),
        "ray-head": "127.0.0.1",
        "0.0.0.0": "127.0.0.1",  # noqa: S104 - this machine is no container
        "6379": str(free_port()),
        "10001": str(free_port()),
        "8080": str(port),
        "/var/lib/regtune": str(short_folder / "data"),
        "/checkpoints": str(short_folder / "checkpoints"),
    }
    composition = Composition(short_folder, replaced)
    with ExitStack() as stack:
        for name in ("ray-head", "ray-worker-cpu", "api", "coordinator"):
            stack.enter_context(composition.started(name))
        token = (short_folder / "data" / "token").read_text().strip()
        assert token not in composition.log("api")
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        with client:
            study_id = client.post("/v1/studies", json=STUDY).raise_for_status().json()["id"]
            until(lambda: client.get(f"/v1/studies/{study_id}").json()["state"] not in ("queued", "running"), "its end")
            study = client.get(f"/v1/studies/{study_id}").json()
            assert study["state"] == "finished", study["reason"]
            assert study["progress"]["replicates"] == {"complete": 4}
    assert "room for" in composition.log("coordinator")
    assert (short_folder / "data" / "logs" / "ray-driver.log").exists()
    assert not (short_folder / "data" / "logs" / "trainer-0.log").exists(), "it was trained beside the coordinator"
