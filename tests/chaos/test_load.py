"""R20: many requests a second beside a running study, with ten thousand trials stored."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pytest
from sqlalchemy import insert, select

from search_spaces.values import Point
from service.app import THREADS
from service.database.engine import Database
from service.database.queries_studies import change_study
from service.database.queries_trials import PlannedPoint, chunks, plan_trials
from service.database.tables import curves, replicates, trials
from service.studies import Studies
from tests.chaos.actors import Api, Orders, api_of, fleet_of
from tests.chaos.audit import count_open
from tests.chaos.memory import allocated_bytes
from tests.chaos.promises import IS_LONG, Promises
from tests.chaos.steady_load import Asked, Load, ask_steadily
from tests.specs import small_grid, small_search
from trials.curves import CURVE_METRICS, pack

PER_SECOND = 100 if IS_LONG else 25
BURST_PER_SECOND = 400
"""More than can be answered, so that every thread and connection that there may be is there before the measurement."""
WARM_UP_SECONDS = 10.0 if IS_LONG else 1.0
SECONDS = 60.0 if IS_LONG else 3.0
N_STORED = 10_000 if IS_LONG else 3_000
MAX_P99_SECONDS = 0.1
POOLED_DESCRIPTORS = 9
"""Three connections to SQLite, of three files each, that the burst did not need."""
MAX_ROUNDS = 3
"""A round during which the machine was not ours is followed by another one."""
QUIET_SHARE = 0.02
"""Most of the machine's processor time that other guests of its host take in a round that counts."""
OTHER_THREADS = 4
"""Those of the server that answer no requests."""
MAX_CPU_SECONDS = 0.01 if IS_LONG else 0.03
"""Processor time of one request: a core has to serve a hundred a second. A short run pays for what comes first."""
MAX_GROWTH = 1.05 if IS_LONG else 1.2
N_KINDS = 9
WRITE_EVERY = 50
"""One request in so many submits a study."""
SMALL_STUDY = small_grid(tags=["load"]).model_dump(mode="json", exclude_unset=True)


class Held(NamedTuple):
    """What the API process has taken so far."""

    memory_bytes: int
    descriptors: int
    cpu_seconds: float
    threads: int


class Round(NamedTuple):
    """Requests for a while, and how they were answered."""

    load: Load
    stolen_seconds: float
    """What other guests of the host took from this machine meanwhile."""

    @property
    def p99(self) -> float:
        return float(np.quantile(self.load.seconds, 0.99))

    @property
    def is_quiet(self) -> bool:
        return self.stolen_seconds <= QUIET_SHARE * SECONDS * (psutil.cpu_count() or 1)

    def __str__(self) -> str:
        n_answers = self.load.statuses.total()
        return f"p99 {1000 * self.p99:.0f} ms of {n_answers} requests (others took {self.stolen_seconds:.1f} s)"


def store_finished_study(database: Database, cases: Studies, n_trials: int) -> str:
    """A study with so many complete trials, written by SQL."""
    spec = small_search("random", n_trials)
    study = cases.create(spec)
    points: list[Point] = [{"dropout.rate": 0.9 * number / n_trials, "l2.enabled": False} for number in range(n_trials)]
    packed = pack(np.full((len(CURVE_METRICS), spec.training.epochs), 0.5, dtype=np.float32))
    with database.begin() as connection:
        planned = [PlannedPoint(point, "sampler") for point in points]
        assert len(plan_trials(connection, study.id, planned, [0], budget=None)) == n_trials
        ids = connection.execute(select(replicates.c.id).where(replicates.c.study_id == study.id)).scalars().all()
        done = {"state": "complete", "n_epochs": 8, "last_epoch": 7, "selected_epoch": 7}
        metrics = {f"{part}_{what}": 0.5 for part in ("train", "validation", "test") for what in ("accuracy", "loss")}
        connection.execute(replicates.update().where(replicates.c.study_id == study.id).values(done | metrics))
        connection.execute(trials.update().where(trials.c.study_id == study.id).values(state="complete", told=True))
        for chunk in chunks(ids):
            connection.execute(insert(curves), [{"replicate_id": key, "packed": packed} for key in chunk])
        change_study(connection, study.id, state="finished", planned=True, settled=True)
    return study.id


def test_answers_stay_quick_and_the_api_stays_small_under_steady_load(
    any_database: Database,
    cases: Studies,
    orders: Orders,
    tmp_path: Path,
    rng: random.Random,
    kind: str,
    promises: Promises,
) -> None:
    stored = store_finished_study(any_database, cases, N_STORED)
    running = cases.create(small_search("random", 5000, training={"epochs": 16})).id
    places: list[Callable[[], str]] = [
        lambda: "/v1/studies?limit=20",
        lambda: "/v1/studies?tag=load",
        lambda: f"/v1/studies/{running}",
        lambda: f"/v1/studies/{stored}",
        lambda: f"/v1/studies/{running}/trials",
        lambda: f"/v1/studies/{stored}/trials?cursor={rng.randrange(N_STORED)}",
        lambda: f"/v1/studies/{stored}/trials/{rng.randrange(N_STORED)}?curves=true",
        lambda: f"/v1/studies/{stored}/effects",
        lambda: "/readyz",
    ]

    def choose(number: int) -> Asked:
        return Asked("/v1/studies", SMALL_STUDY) if number % WRITE_EVERY == 0 else Asked(places[number % N_KINDS]())

    with api_of(any_database.url, tmp_path) as api, fleet_of(replace(orders, pause_seconds=0.1), 1):
        steadily = partial(
            ask_steadily,
            port=int(api.client.base_url.port or 0),
            token=(tmp_path / "token").read_text().strip(),
            choose=choose,
        )
        assert api.client.get(f"/v1/studies/{stored}/effects").status_code == 200
        asyncio.run(steadily(per_second=BURST_PER_SECOND, seconds=1))
        asyncio.run(steadily(per_second=PER_SECOND, seconds=WARM_UP_SECONDS))
        before, rounds = _held(api), list(_rounds(partial(steadily, per_second=PER_SECOND, seconds=SECONDS)))
        after = _held(api)
        assert count_open(any_database, [running]) == 1, "the study ended before the load"
    statuses = sum((each.load.statuses for each in rounds), Counter[int]())
    cpu_seconds = (after.cpu_seconds - before.cpu_seconds) / statuses.total()
    assert set(statuses) == {200, 201}
    assert cpu_seconds <= MAX_CPU_SECONDS
    assert after.threads <= THREADS + OTHER_THREADS
    assert after.memory_bytes <= before.memory_bytes * MAX_GROWTH
    assert after.descriptors <= before.descriptors + POOLED_DESCRIPTORS
    last = rounds[-1]
    growth = 100 * (after.memory_bytes / before.memory_bytes - 1)
    reached = f"{', then '.join(map(str, rounds))} at {PER_SECOND}/s, {1000 * cpu_seconds:.1f} ms CPU each, 0 5xx"
    reached += f", memory {growth:+.1f} %, descriptors {before.descriptors} to {after.descriptors}"
    is_late = IS_LONG and last.p99 > MAX_P99_SECONDS
    if is_late and not last.is_quiet:
        pytest.skip(f"others took too much of the machine: {reached}")
    assert not is_late, reached
    promises.reach("R20", kind, reached, is_full=IS_LONG)


def _rounds(ask: Callable[[], Coroutine[Any, Any, Load]]) -> Iterator[Round]:
    """Rounds until one is quick, or slow although the machine was quiet."""
    for _ in range(MAX_ROUNDS):
        before = _stolen_seconds()
        load = asyncio.run(ask())
        this = Round(load, _stolen_seconds() - before)
        yield this
        if this.is_quiet or this.p99 <= MAX_P99_SECONDS:
            return


def _stolen_seconds() -> float:
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def _held(api: Api) -> Held:
    process = psutil.Process(api.process.pid)
    times = process.cpu_times()
    return Held(allocated_bytes(process.pid), process.num_fds(), times.user + times.system, process.num_threads())
