"""R6 and R13: the database goes away, the network is cut."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from service.database.engine import Database
from service.settings import Settings
from service.studies import Studies
from tests.chaos.actors import LEASE_SECONDS, Api, Orders, api_of, fleet_of
from tests.chaos.audit import Told, audit, count_open
from tests.chaos.postgres import CrashingServer, Wire, crashing_postgresql
from tests.chaos.promises import IS_LONG, Promises
from tests.chaos.studies import mixed, wait_until
from tests.databases import fresh_postgresql
from tests.specs import small_grid

N_RESTARTS = 8 if IS_LONG else 2
N_REPLICATES = 40 if IS_LONG else 4
CUTS_SECONDS = (5.0, 30.0, 120.0) if IS_LONG else (2.0,)
TWO_POINTS = small_grid(regularizers={"dropout": {"rate": {"grid": [0.0, 0.5]}}}, budget={"replicates": 1})
READY_WITHIN_SECONDS = 5.0


@pytest.fixture(scope="module")
def server() -> Iterator[CrashingServer]:
    with crashing_postgresql() as made:
        yield made


@pytest.fixture
def database(server: CrashingServer) -> Iterator[Database]:
    made = Database(fresh_postgresql(server.url))
    made.migrate()
    yield made
    made.dispose()


@dataclass
class Load:
    """Asks the API without pause, and remembers what it was told."""

    api: Api
    study_id: str
    answers: list[httpx.Response] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        document = TWO_POINTS.model_dump(mode="json", exclude_unset=True)
        while not self._stop.wait(0.02):
            try:
                self.answers.append(self.api.client.get(f"/v1/studies/{self.study_id}"))
                if len(self.answers) % 20 == 1:
                    self.answers.append(self.api.client.post("/v1/studies", json=document))
            except httpx.TransportError as error:
                self.broken.append(repr(error))


def test_crashes_of_the_database_cost_no_trial_and_the_api_says_when_to_come_back(
    server: CrashingServer, database: Database, tmp_path: Path, rng: random.Random, promises: Promises
) -> None:
    cases = Studies(database, Settings(data_dir=tmp_path))
    told = {cases.create(spec).id: spec for spec in mixed(2, N_REPLICATES)}
    orders = Orders(database.url, tmp_path, tmp_path / "told.log", lease_seconds=30.0, pause_seconds=0.05)
    slowest, n_in_study = 0.0, 0
    with api_of(database.url, tmp_path) as api, fleet_of(orders, 1) as fleet, Load(api, next(iter(told))) as load:
        for _ in range(N_RESTARTS):
            time.sleep(rng.uniform(0.2, 0.8))
            n_in_study += count_open(database, told) > 0
            server.crash()
            time.sleep(rng.uniform(0.1, 0.5))
            server.start()
            slowest = max(slowest, wait_until(api.is_ready, "the API to be ready", READY_WITHIN_SECONDS))
        load.__exit__()
        created = {a.json()["id"]: TWO_POINTS for a in load.answers if a.status_code == 201}
        wait_until(lambda: count_open(database, told | created) == 0, "all studies to end", 300)
        results, _ = fleet.told()
    audit(database, Told(told | created, results))
    refused = [answer for answer in load.answers if answer.status_code not in (200, 201)]
    assert n_in_study >= 1, "the studies ended before the first crash"
    assert refused, "no request met the crash"
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert load.broken == []
    reached = f"0 failed, {n_in_study} restarts, {len(refused)} x 503, ready after {slowest:.1f} s"
    promises.reach("R6", "postgresql", reached, is_full=n_in_study >= 8)
    promises.reach("R1", "postgresql", f"0 of {len(results) + len(created)} lost, {n_in_study} database crashes")


@pytest.mark.parametrize("seconds", CUTS_SECONDS)
def test_a_cut_wire_heals(
    server: CrashingServer, database: Database, tmp_path: Path, promises: Promises, seconds: float
) -> None:
    cases = Studies(database, Settings(data_dir=tmp_path))
    told = {cases.create(spec).id: spec for spec in mixed(1, N_REPLICATES)}
    (study_id,) = told
    wire = Wire(database.url)
    orders = Orders(wire.url, tmp_path, tmp_path / "told.log", pause_seconds=0.05)

    def n_complete() -> int:
        return cases.get(study_id).progress.replicates.get("complete", 0)

    with fleet_of(orders, 1) as fleet:
        wait_until(lambda: n_complete() > 0, "the first result")
        wire.cut()
        time.sleep(seconds)
        before = n_complete()
        assert count_open(database, told) == 1, "the study ended before the cut"
        wire.mend()
        healed = wait_until(lambda: n_complete() > before, "the next result", LEASE_SECONDS + 10)
        wait_until(lambda: count_open(database, told) == 0, "the study to end")
        results, _ = fleet.told()
    wire.close()
    audit(database, Told(told, results))
    promises.reach("R13", "postgresql", f"0 lost, back {healed:.1f} s after a cut of {seconds:g} s", is_full=IS_LONG)
