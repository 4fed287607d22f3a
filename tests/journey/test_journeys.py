"""The product as a user starts it: by its commands, in processes of its own, killed when it hurts."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.journey.ports import free_port

pytestmark = pytest.mark.journey

ROOT = Path(__file__).resolve().parents[2]
REGTUNE = str(Path(sys.executable).parent / "regtune")
WAIT_SECONDS = 240.0
STUDY = {
    "name": "killed on purpose",
    "dataset": "digits",
    "model": {"family": "mlp", "hidden_units": [64]},
    "regularizers": {
        "dropout": {"rate": {"grid": [0.0, 0.2, 0.4, 0.6]}},
        "l2": {"factor": {"grid": [1e-4, 1e-3]}, "optional": True},
    },
    "training": {"epochs": 200},
    "search": {"sampler": "grid"},
    "budget": {"replicates": 4},
}
N_TRIALS, N_REPLICATES = 12, 48


def environment(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGTUNE_")}
    return kept | {"REGTUNE_DATA_DIR": str(data_dir)}


def regtune(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [REGTUNE, *arguments], env=environment(data_dir), capture_output=True, text=True, timeout=600, check=False
    )


class Server:
    """A running `regtune serve` with its client."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.process = subprocess.Popen(
            [REGTUNE, "serve", "--port", str(port)],
            env=environment(data_dir) | {"REGTUNE_LEASE_SECONDS": "5"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        base = f"http://127.0.0.1:{port}"
        self.started_at = time.monotonic()
        until(lambda: _answers(f"{base}/readyz"), "the server to answer")
        self.seconds_to_answer = time.monotonic() - self.started_at
        token = (data_dir / "token").read_text().strip()
        self.client = httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        answer.raise_for_status()
        return answer.json()

    def trainers(self) -> list[psutil.Process]:
        return [
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if "trials.process" in " ".join(child.cmdline())
        ]

    def finished_replicates(self, study_id: str) -> int:
        done: int = self.get(f"/v1/studies/{study_id}")["progress"]["replicates"].get("complete", 0)
        return done


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS:g} s for {what}"
        time.sleep(0.05)


@contextmanager
def serving(data_dir: Path, port: int) -> Iterator[Server]:
    server = Server(data_dir, port)
    try:
        yield server
    finally:
        server.client.close()
        server.process.terminate()
        server.process.wait(timeout=60)


def trials_by_point(server: Server, study_id: str) -> dict[str, tuple[str, list[tuple[int, str]]]]:
    """Every trial's point with its state and replicates; asserts that no point and no seed stands twice."""
    items = server.get(f"/v1/studies/{study_id}/trials?limit=200")["items"]
    points = {
        json.dumps(trial["parameters"], sort_keys=True): (
            trial["state"],
            [(replicate["seed"], replicate["state"]) for replicate in trial["replicates"]],
        )
        for trial in items
    }
    assert len(points) == len(items)
    for _, replicates in points.values():
        assert len({seed for seed, _ in replicates}) == len(replicates)
    return points


def metrics_by_replicate(server: Server, study_id: str) -> dict[tuple[str, int], float]:
    items = server.get(f"/v1/studies/{study_id}/trials?limit=200")["items"]
    return {
        (json.dumps(trial["parameters"], sort_keys=True), replicate["seed"]): replicate["metrics"]["test_accuracy"]
        for trial in items
        for replicate in trial["replicates"]
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], float]:
    """What the study finds when nobody is killed."""
    data_dir = tmp_path_factory.mktemp("undisturbed")
    port = free_port()
    with serving(data_dir, port) as server:
        study_id = server.client.post("/v1/studies", json=STUDY).json()["id"]
        until(lambda: server.get(f"/v1/studies/{study_id}")["state"] == "finished", "the study to finish")
        assert len(trials_by_point(server, study_id)) == N_TRIALS
        return metrics_by_replicate(server, study_id)


def test_killed_training_processes_cost_no_trial(tmp_path: Path, undisturbed: dict[tuple[str, int], float]) -> None:
    with serving(tmp_path, free_port()) as server:
        study_id = server.client.post("/v1/studies", json=STUDY).json()["id"]
        until(lambda: server.finished_replicates(study_id) > 0, "the first replicate")
        killed = server.trainers()
        assert killed
        for trainer in killed:
            trainer.send_signal(signal.SIGKILL)
        assert _open(server, study_id), "the study ended before the kill"
        until(lambda: not _open(server, study_id), "the study to finish")
        check_whole(server, study_id, undisturbed)


def test_a_killed_service_continues_when_started_again(
    tmp_path: Path, undisturbed: dict[tuple[str, int], float]
) -> None:
    port = free_port()
    server = Server(tmp_path, port)
    study_id = server.client.post("/v1/studies", json=STUDY).json()["id"]
    until(lambda: server.finished_replicates(study_id) > 0, "the first replicate")
    trainers = server.trainers()
    assert _open(server, study_id)
    server.process.kill()
    server.process.wait()
    server.client.close()
    _, alive = psutil.wait_procs(trainers, timeout=30)
    assert alive == [], "training processes outlived the service"
    with serving(tmp_path, port) as again:
        kept = again.finished_replicates(study_id)
        assert kept > 0
        until(lambda: not _open(again, study_id), "the study to finish")
        check_whole(again, study_id, undisturbed)


def _open(server: Server, study_id: str) -> bool:
    return server.get(f"/v1/studies/{study_id}")["state"] in ("queued", "running")


def check_whole(server: Server, study_id: str, undisturbed: dict[tuple[str, int], float]) -> None:
    """The study ended with the same set of finished trials, and the same numbers, as without kills."""
    assert server.get(f"/v1/studies/{study_id}")["state"] == "finished"
    points = trials_by_point(server, study_id)
    assert len(points) == N_TRIALS
    assert {state for state, _ in points.values()} == {"complete"}
    found = metrics_by_replicate(server, study_id)
    assert len(found) == N_REPLICATES
    assert found == undisturbed


def test_two_identical_grids_have_exactly_the_same_points(tmp_path: Path) -> None:
    short = STUDY | {"training": {"epochs": 2}}
    with serving(tmp_path, free_port()) as server:
        ids = [server.client.post("/v1/studies", json=short).json()["id"] for _ in range(2)]
        until(lambda: not any(_open(server, study_id) for study_id in ids), "both studies to finish")
        one, other = (trials_by_point(server, study_id) for study_id in ids)
        assert one == other
        assert len(one) == N_TRIALS
        assert metrics_by_replicate(server, ids[0]) == metrics_by_replicate(server, ids[1])


def test_the_curl_of_the_readme_runs_to_its_end(tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    block = re.search(r"(curl --fail-with-body.*?\n  \}')", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    port = free_port()
    with serving(tmp_path, port) as server:
        command = block.group(1).replace("8080", str(port))
        token = (tmp_path / "token").read_text().strip()
        posted = subprocess.run(
            ["bash", "-c", command], env=os.environ | {"TOKEN": token}, capture_output=True, text=True, check=False
        )
        assert posted.returncode == 0, posted.stdout + posted.stderr
        study_id = json.loads(posted.stdout)["id"]
        until(lambda: not _open(server, study_id), "the study to finish")
        effects = server.get(f"/v1/studies/{study_id}/effects")
        assert {row["name"] for row in effects["regularizers"]} == {"dropout", "l2"}
        assert all(row["verdict"] in ("helps", "hurts", "not separable") for row in effects["regularizers"])
        assert server.client.get("/dashboard").status_code == 200
        assert server.get("/api/studies")["study_summaries"][0]["study_name"].startswith("digits-dropout")


def test_the_grid_of_circles_shows_the_known_shape(tmp_path: Path) -> None:
    asked = "grid --dataset circles --hidden 500 --dropout 0:0.8:0.2 --replicates 10 --epochs 4000 --json"
    done = regtune(tmp_path, *asked.split())
    assert done.returncode == 0, done.stderr
    dropout = json.loads(done.stdout)["regularizers"][0]
    means = {level["value"]: level["test_accuracy"]["mean"] for level in dropout["levels"]}
    assert max(means, key=lambda rate: means[rate]) in (0.2, 0.4)
    worst = next(level for level in dropout["levels"] if level["value"] == 0.8)
    assert worst["difference_from_off"]["high"] < 0
    assert dropout["verdict"] == "helps"


def test_a_wrong_study_is_refused_with_field_allowed_and_received(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: x\ndataset: digits\nregularizers: {dropout: {rate: 1.5}}\nsearch: {sampler: grid}\n")
    done = regtune(tmp_path, "run", str(wrong))
    assert done.returncode == 2
    assert "regularizers.dropout.rate" in done.stderr
    assert "from 0 to 0.95" in done.stderr
    assert "1.5" in done.stderr


def test_a_dataset_that_cannot_be_had_fails_its_study_with_the_place_for_a_file(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("name: x\ndataset: fashion_mnist\nsearch: {sampler: grid}\ntraining: {epochs: 1}\n")
    environment_without_network = environment(tmp_path) | {"https_proxy": "http://127.0.0.1:9", "HOME": str(tmp_path)}
    done = subprocess.run(
        [REGTUNE, "run", str(study)],
        env=environment_without_network,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "fashion_mnist.npz" in (done.stderr + done.stdout).replace("\n", "")
