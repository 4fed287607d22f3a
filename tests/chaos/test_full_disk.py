"""R14: the disk is full, under the database and under uploads, and then it is not."""

import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import httpx2
import numpy as np
import pytest
from sqlalchemy import make_url
from starlette.testclient import TestClient

from service.app import create_app
from service.composition import Services
from service.database.engine import Database
from service.settings import Settings
from service.studies import Studies
from tests.chaos.actors import Orders, api_of, fleet_of
from tests.chaos.audit import Told, audit, count_open
from tests.chaos.postgres import CrashingServer, crashing_postgresql
from tests.chaos.promises import IS_LONG, Promises
from tests.chaos.studies import mixed, wait_until
from tests.databases import fresh_postgresql
from tests.formula_executor import FormulaExecutor
from tests.laboratory import open_laboratory, rounds_until
from tests.service.uploads import npz
from tests.specs import small_grid

MEBIBYTE = 2**20
READY_WITHIN_SECONDS = 5.0
LARGE_STUDY = small_grid(tags=[f"{n} {'x' * 80}" for n in range(20)]).model_dump(mode="json", exclude_unset=True)


@contextmanager
def small_disk(folder: Path, n_bytes: int) -> Iterator[Path]:
    """A disk of its own at a folder."""
    folder.mkdir(exist_ok=True)
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 3 * MEBIBYTE) as folder:
        yield folder


def test_a_full_disk_is_told_and_survived(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promises: Promises
) -> None:
    monkeypatch.setattr("service.coordinator.loop.POLL_SECONDS", 0.01)
    database = Database(f"sqlite:///{disk / 'ledger.sqlite3'}")
    database.migrate()
    (disk / "datasets").mkdir()
    (tmp_path / "datasets").symlink_to(disk / "datasets")
    spec = small_grid(budget={"replicates": 4}, training={"epochs": 40})
    with open_laboratory(database, tmp_path) as lab:
        study = lab.studies.create(spec)
        coordinator = lab.coordinator(FormulaExecutor(n_slots=1))
        rounds_until(coordinator, lambda: lab.count(study.id, "complete") > 0)
        filler = disk / "filler"
        _fill(filler)
        services = Services(
            settings=lab.settings, database=database, studies=lab.studies, token="t" * 43, token_is_new=False
        )
        client = TestClient(
            create_app(lab.settings, services),
            base_url="http://127.0.0.1:8080",
            headers={"authorization": f"Bearer {services.token}"},
            raise_server_exceptions=False,
        )
        answers = [client.post("/v1/studies", json=LARGE_STUDY) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {503}
        uploads = [_upload(client, content) for content in (npz(), npz(x_train=np.zeros((20, 4), np.int64)))]
        assert {answer.status_code for answer in uploads} == {507}
        assert list((disk / "datasets").iterdir()) == []
        assert client.get(f"/v1/studies/{study.id}").status_code == 200
        filler.unlink()
        began = time.monotonic()
        assert client.post("/v1/studies", json=LARGE_STUDY).status_code == 201
        assert _upload(client, npz()).status_code == 201
        assert coordinator.run_until_done(study.id).state == "finished"
        seconds = time.monotonic() - began
        audit(database, Told({study.id: spec}, {}))
    with closing(sqlite3.connect(disk / "ledger.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert seconds < READY_WITHIN_SECONDS
    promises.reach(
        "R14", "sqlite", f"503, uploads 507, integrity ok, back and finished {seconds:.1f} s after space", is_full=True
    )


@pytest.fixture
def server() -> Iterator[CrashingServer]:
    """A server whose data lie on a disk of their own, which the system user it runs as can reach."""
    place = Path(tempfile.mkdtemp(prefix="regtune-disk-"))
    place.chmod(0o755)
    with small_disk(place / "disk", 200 * MEBIBYTE) as folder:
        folder.chmod(0o755)
        with crashing_postgresql(folder) as made:
            yield made
    shutil.rmtree(place)


@pytest.mark.skipif(not IS_LONG, reason="a server on a disk of its own: the long form has it")
def test_a_full_disk_under_a_server_is_told_and_survived(
    server: CrashingServer, tmp_path: Path, promises: Promises
) -> None:
    database = Database(fresh_postgresql(server.url))
    database.migrate()
    cases = Studies(database, Settings(data_dir=tmp_path))
    told = {cases.create(spec).id: spec for spec in mixed(2, 20)}
    orders = replace(Orders(database.url, tmp_path, tmp_path / "told.log"), lease_seconds=30.0, pause_seconds=0.05)
    filler = server.folder / "filler"
    with api_of(database.url, tmp_path) as api, fleet_of(orders, 1) as fleet:
        wait_until(lambda: len(fleet.told()[0]) > 5, "some results")
        _fill(filler)
        assert count_open(database, told) > 0, "the studies ended before the disk was full"
        refused: list[httpx.Response] = []
        created: list[httpx.Response] = []
        while len(refused) < 20:
            answer = api.client.post("/v1/studies", json=LARGE_STUDY)
            (created if answer.status_code == 201 else refused).append(answer)
        assert {answer.status_code for answer in refused} == {503}
        filler.unlink()
        server.start()
        seconds = wait_until(api.is_ready, "the API to be ready", READY_WITHIN_SECONDS)
        assert api.client.post("/v1/studies", json=LARGE_STUDY).status_code == 201
        told |= {answer.json()["id"]: small_grid(tags=LARGE_STUDY["tags"]) for answer in created}
        wait_until(lambda: count_open(database, told) == 0, "the studies to end")
        results, _ = fleet.told()
    audit(database, Told(told, results))
    server.run("pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", f"--dbname={_of_libpq(database.url)}")
    database.dispose()
    reached = f"0 of {len(results)} lost, {len(refused)} x 503, all can be read, ready {seconds:.1f} s after space"
    promises.reach("R14", "postgresql", reached, is_full=True)


def _of_libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _upload(client: TestClient, content: bytes) -> httpx2.Response:
    headers = {"content-type": "application/octet-stream"}
    return client.post("/v1/datasets", params={"name": "mine"}, content=content, headers=headers)


def _fill(path: Path) -> None:
    """Takes all the room that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return
