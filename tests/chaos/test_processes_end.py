"""R7, R8 and R12: APIs are killed, coordinators asked to end, clocks are wrong."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import func, select

from search_spaces.spec import StudySpec
from service.database.engine import Database
from service.database.tables import replicates, studies, study_tags, trials
from service.dataset_checks import check_npz
from service.dataset_drafts import PREFIX, remove_orphans
from service.studies import Studies
from tests.chaos.actors import Api, Orders, api_of, fleet_of
from tests.chaos.audit import Told, audit, count_open
from tests.chaos.promises import IS_LONG, Promises
from tests.chaos.studies import GRID_OF_24, mixed, wait_until
from tests.service.uploads import npz
from tests.specs import small_grid

N_API_KILLS = 20 if IS_LONG else 2
N_TERMS = 50 if IS_LONG else 3
DAY_SECONDS = 86_400.0
WRONG_CLOCKS: tuple[tuple[float, str], ...] = ((3600.0, "Asia/Tokyo"), (-DAY_SECONDS, "America/New_York"))
if IS_LONG:
    WRONG_CLOCKS += ((-3600.0, "UTC"), (DAY_SECONDS, "Asia/Tokyo"))
TAGS = ["one", "two", "three"]
NOISE = np.random.default_rng(0).normal(size=(20, 20_000)).astype(np.float32)
PART_BYTES = 2**16


def test_killing_the_api_amid_posts_and_uploads_leaves_only_what_is_whole(
    any_database: Database, tmp_path: Path, rng: random.Random, kind: str, promises: Promises
) -> None:
    acknowledged: dict[str, str] = {}
    uploaded: set[str] = set()
    folder, content, n_halves = tmp_path / "datasets", npz(x_train=NOISE, x_test=NOISE[:10]), 0
    for number in range(N_API_KILLS):
        with api_of(any_database.url, tmp_path) as api:
            assert drafts_in(folder) == []
            threads = [
                threading.Thread(target=_post, args=(api, number, acknowledged)),
                threading.Thread(target=_upload, args=(api, number, content, uploaded)),
            ]
            for thread in threads:
                thread.start()
            wait_until(lambda of=number: any(n.startswith(f"s{of}-") for n in acknowledged.values()), "a study")  # type: ignore[misc] # loop variable
            wait_until(lambda: drafts_in(folder) != [], "an upload")
            time.sleep(rng.uniform(0.0, 0.2))
            api.process.kill()
            api.process.join()
            n_halves += len(drafts_in(folder))
            for thread in threads:
                thread.join()
    assert n_halves > 0, "no upload was cut by a kill"
    assert remove_orphans(folder) <= 1
    assert drafts_in(folder) == []
    assert uploaded <= {path.stem for path in folder.glob("*.npz")}
    assert all(check_npz(path).n_train == len(NOISE) for path in folder.glob("*.npz"))
    _expect_whole_studies(any_database, acknowledged)
    reached = f"0 half studies, 0 orphan files, {len(acknowledged)} studies and {len(uploaded)} uploads acknowledged"
    reached += f", {n_halves} cut, {N_API_KILLS} kills"
    promises.reach("R7", kind, reached, is_full=N_API_KILLS >= 20)


def drafts_in(folder: Path) -> list[str]:
    """Files of uploads that have not come to their end."""
    return [path.name for path in folder.glob(f"{PREFIX}*")] if folder.exists() else []


def _expect_whole_studies(database: Database, acknowledged: dict[str, str]) -> None:
    with database.read() as connection:
        names = {row[0]: row[1] for row in connection.execute(select(studies.c.id, studies.c.name))}
        specs = connection.execute(select(studies.c.spec)).scalars().all()
        tags = connection.execute(select(study_tags.c.study_id, func.count()).group_by(study_tags.c.study_id))
        assert {row[0]: row[1] for row in tags} == dict.fromkeys(names, len(TAGS))
    assert all(StudySpec.model_validate(spec) for spec in specs)
    assert acknowledged.items() <= names.items()
    assert len(names) - len(acknowledged) <= N_API_KILLS


def _post(api: Api, number: int, acknowledged: dict[str, str]) -> None:
    document = small_grid(tags=TAGS).model_dump(mode="json", exclude_unset=True)
    for place in count():
        name = f"s{number}-{place}"
        try:
            answer = api.client.post("/v1/studies", json=document | {"name": name})
        except httpx.TransportError:
            return
        assert answer.status_code == 201, answer.text
        acknowledged[answer.json()["id"]] = name


def _upload(api: Api, number: int, content: bytes, uploaded: set[str]) -> None:
    """Uploads one dataset after the other, each in many parts, until nobody answers."""
    headers = {"content-type": "application/octet-stream"}

    def parts() -> Iterator[bytes]:
        for start in range(0, len(content), PART_BYTES):
            time.sleep(0.002)
            yield content[start : start + PART_BYTES]

    for place in count():
        name = f"u{number}-{place}"
        try:
            answer = api.client.post("/v1/datasets", params={"name": name}, content=parts(), headers=headers)
        except httpx.TransportError:
            return
        assert answer.status_code == 201, answer.text
        uploaded.add(name)


def test_a_coordinator_asked_to_end_gives_everything_back_and_charges_nobody(
    any_database: Database, cases: Studies, orders: Orders, rng: random.Random, kind: str, promises: Promises
) -> None:
    told = {cases.create(spec).id: spec for spec in mixed(2, 50 if IS_LONG else 3)}
    slowest, n_amid = 0.0, 0
    with fleet_of(replace(orders, lease_seconds=30.0, pause_seconds=0.05), 0) as fleet:
        for _ in range(N_TERMS):
            process = fleet.start()
            wait_until(lambda: _n_running(any_database) > 0 or count_open(any_database, told) == 0, "work under way")
            time.sleep(rng.uniform(0.0, 0.3))
            n_amid += _n_running(any_database) > 0
            exit_code, seconds = fleet.terminate(process)
            assert exit_code == 0
            assert _n_running(any_database) == 0
            slowest = max(slowest, seconds)
        fleet.start()
        wait_until(lambda: count_open(any_database, told) == 0, "the studies to end")
        results, _ = fleet.told()
    audit(any_database, Told(told, results))
    with any_database.read() as connection:
        charges = connection.execute(select(func.sum(trials.c.own_faults + trials.c.lost_workers))).scalar_one()
    assert charges == 0
    assert n_amid >= 1, "no coordinator was at work when asked to end"
    assert slowest <= 30
    reached = f"{N_TERMS} of {N_TERMS} exit 0 within {slowest:.1f} s, nothing charged"
    promises.reach("R8", kind, reached, is_full=n_amid >= 50)


def _n_running(database: Database) -> int:
    statement = select(func.count()).where(replicates.c.state == "running")
    with database.read() as connection:
        return int(connection.execute(statement).scalar_one())


def test_coordinators_with_wrong_clocks_take_nothing_from_each_other(
    any_database: Database, cases: Studies, orders: Orders, kind: str, promises: Promises
) -> None:
    told = {cases.create(GRID_OF_24).id: GRID_OF_24 for _ in range(10 if IS_LONG else 2)}
    with fleet_of(replace(orders, lease_seconds=20.0), 0) as fleet:
        for shift, zone in WRONG_CLOCKS:
            fleet.orders = replace(fleet.orders, clock_shift_seconds=shift, zone=zone)
            fleet.start()
        wait_until(lambda: count_open(any_database, told) == 0, "the studies to end")
        results, n_refused = fleet.told()
    audit(any_database, Told(told, results))
    with any_database.read() as connection:
        fences = set(connection.execute(select(studies.c.fence)).scalars())
        charges = connection.execute(select(func.sum(trials.c.lost_workers))).scalar_one()
    assert fences == {2}, "a study was taken once and concluded once"
    assert (charges, n_refused) == (0, 0)
    n_trials = 24 * len(told)
    promises.reach(
        "R12", kind, f"0 false expiries in {n_trials} trials, {len(WRONG_CLOCKS)} wrong clocks", is_full=n_trials >= 200
    )
