"""A study on a Ray cluster of three nodes that loses a node and its coordinator."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from search_spaces.spec import StudySpec
from service.composition import compose, executor_of
from service.coordinator.loop import Coordinator
from service.database.engine import Database
from service.database.tables import replicates, trials
from service.effects.estimate import estimate
from service.effects.view import Effects
from service.settings import Settings
from service.studies import Studies
from tests.ray_cluster import RayCluster

pytestmark = pytest.mark.journey

REGTUNE = str(Path(sys.executable).parent / "regtune")
WAIT_SECONDS = 240.0
LEASE_SECONDS = 4.0
N_TRIALS, N_REPLICATES = 200, 2

SPEC = StudySpec.model_validate(
    {
        "name": "on a cluster",
        "dataset": {"name": "circles", "n_samples": 100, "noise": 0.1, "random_state": 1, "n_train": 30},
        "model": {"family": "mlp", "hidden_units": [64]},
        "regularizers": {
            "dropout": {"rate": {"grid": [index / 25 for index in range(20)]}},
            "l2": {"factor": {"grid": [index / 10_000 for index in range(10)]}},
        },
        "training": {"epochs": 500},
        "search": {"sampler": "grid"},
        "budget": {"replicates": N_REPLICATES},
    }
)


@contextmanager
def coordinating(data_dir: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGTUNE_")}
    command = [REGTUNE, "coordinator", "--executor", "ray", "--ray-address", address]
    with (data_dir / "coordinator.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=kept | {"REGTUNE_DATA_DIR": str(data_dir), "REGTUNE_LEASE_SECONDS": str(LEASE_SECONDS)},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS:g} s for {what}"
        time.sleep(0.1)


def n_complete(database: Database) -> int:
    statement = select(func.count()).where(replicates.c.state == "complete")
    with database.read() as connection:
        return connection.execute(statement).scalar_one()


def n_lost_workers(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(trials.c.lost_workers), 0))).scalar_one())


def outcome(studies: Studies, study_id: str) -> tuple[dict[tuple[str, int], float], Effects]:
    """Test accuracy of every replicate by its point and seed, and the effects; nothing is missing or doubled."""
    first = studies.trials(study_id, limit=200)
    assert first.next_cursor is None
    assert len(first.items) == N_TRIALS
    assert {trial.state for trial in first.items} == {"complete"}
    found = {
        (str(sorted(trial.parameters.items())), replicate.seed): replicate.metrics.test_accuracy
        for trial in first.items
        for replicate in trial.replicates
    }
    assert sum(len(trial.replicates) for trial in first.items) == len(found) == N_TRIALS * N_REPLICATES
    assert all(accuracy is not None for accuracy in found.values())
    return {key: accuracy or 0.0 for key, accuracy in found.items()}, estimate(studies.record(study_id))


def test_a_study_outlives_a_node_and_its_coordinator(ray_cluster: RayCluster, tmp_path: Path) -> None:
    services = compose(Settings(data_dir=tmp_path))
    study_id = services.studies.create(SPEC).id
    node = ray_cluster.add(1)
    other = ray_cluster.add(1)

    with coordinating(tmp_path, ray_cluster.address) as first:
        until(lambda: n_complete(services.database) > 0, "the first replicate")
        ray_cluster.kill(node)
        until(lambda: n_lost_workers(services.database) > 0, "the node's work to be missed")
        before = n_complete(services.database)
        until(lambda: n_complete(services.database) > before, "work to go on without the node")
        first.kill()
        first.wait()
    assert services.studies.get(study_id).state == "running", "the study ended before its coordinator did"

    with coordinating(tmp_path, ray_cluster.address):
        until(lambda: services.studies.get(study_id).state == "finished", "the study to finish")
    ray_cluster.kill(other)
    accuracy, effects = outcome(services.studies, study_id)

    expected_accuracy, expected = undisturbed(tmp_path / "undisturbed")
    assert accuracy == pytest.approx(expected_accuracy, abs=1e-6)
    for ours, theirs in zip(effects.regularizers, expected.regularizers, strict=True):
        assert ours.verdict == theirs.verdict
        for level, like in zip(ours.levels, theirs.levels, strict=True):
            mean, low, high = level.test_accuracy.mean, like.test_accuracy.low, like.test_accuracy.high
            assert mean is not None
            assert low is not None
            assert high is not None
            assert low <= mean <= high


def undisturbed(data_dir: Path) -> tuple[dict[tuple[str, int], float], Effects]:
    """The same study in processes of this machine, where nothing is killed."""
    settings = Settings(data_dir=data_dir, processes=1)
    services = compose(settings)
    with executor_of(settings) as executor:
        study = Coordinator(services.database, executor, settings).run_until_done(services.studies.create(SPEC).id)
    return outcome(services.studies, study.id)
