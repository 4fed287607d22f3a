"""R1 to R5: coordinators killed and stopped while studies run."""

import random
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from service.coordinator.loop import Coordinator
from service.database.engine import Database
from service.database.queries_work import MAX_LOST_WORKERS, OPEN
from service.database.tables import studies, trials
from service.studies import Studies
from tests.chaos.actors import LEASE_SECONDS, Fleet, Orders, fleet_of
from tests.chaos.audit import Told, audit, count_open
from tests.chaos.promises import IS_LONG, Promises
from tests.chaos.studies import GRID_OF_24, mixed, wait_until
from tests.contracts.ledger_world import KilledError, Strike, UnreliableDatabase
from tests.formula_executor import FormulaExecutor
from tests.laboratory import Laboratory, one_round
from tests.specs import small_search

N_STUDIES = 60 if IS_LONG else 3
N_REPLICATES = 10 if IS_LONG else 1
N_KILLS = 120 if IS_LONG else 6
N_STOPS = 25 if IS_LONG else 2
N_STALE_WRITES = 16 if IS_LONG else 2
N_TAKEOVERS = 10 if IS_LONG else 1
BEARABLE_LOSSES = MAX_LOST_WORKERS - 2
"""A trial that loses its coordinator ten times fails, as it should; on a slow machine the storm must wait for it."""
N_ACCESSES = 60
TRIED_ACCESSES = range(N_ACCESSES) if IS_LONG else range(1, N_ACCESSES, 11)


def test_a_storm_of_kills_and_stops_loses_and_doubles_nothing(
    any_database: Database, cases: Studies, orders: Orders, rng: random.Random, kind: str, promises: Promises
) -> None:
    told_studies = {cases.create(spec).id: spec for spec in mixed(N_STUDIES, N_REPLICATES)}
    with fleet_of(orders, 2) as fleet:
        _rage(fleet, rng, any_database, list(told_studies))
        wait_until(lambda: count_open(any_database, told_studies) == 0, "all studies to end", 900)
        results, _ = fleet.told()
    audit(any_database, Told(told_studies, results))
    n_kills, n_stops = fleet.faults["kill -9"], fleet.faults["SIGSTOP"]
    assert n_kills >= min(N_KILLS, 3), "the studies ended before the storm"
    assert len(results) > len(told_studies)
    n_grids = sum(spec.search.sampler == "grid" for spec in told_studies.values())
    faults = f"{n_kills} kills and {n_stops} stops"
    promises.reach("R1", kind, f"0 of {len(results)} lost, {faults}", is_full=len(results) >= 10_000)
    promises.reach("R2", kind, f"{len(told_studies)} of {len(told_studies)} exact", is_full=len(told_studies) >= 50)
    promises.reach("R5", kind, f"0 missing, 0 duplicate on {n_grids} grids", is_full=n_grids >= 20)


def _rage(fleet: Fleet, rng: random.Random, database: Database, study_ids: list[str]) -> None:
    faults = ["kill"] * N_KILLS + ["stop"] * N_STOPS
    rng.shuffle(faults)
    for fault in faults:
        time.sleep(rng.uniform(0.05, 0.4))
        if count_open(database, study_ids) == 0:
            return
        _spare_the_often_lost(database)
        victim = rng.choice(fleet.processes)
        if fault == "kill":
            fleet.kill(victim)
            fleet.start()
        else:
            fleet.stop_and_continue(victim, LEASE_SECONDS + 0.4)


def _spare_the_often_lost(database: Database) -> None:
    """Waits for open trials that can hardly bear to lose their coordinator again."""
    statement = select(func.max(trials.c.lost_workers)).where(trials.c.state.in_(OPEN))

    def are_none() -> bool:
        with database.read() as connection:
            return (connection.execute(statement).scalar_one() or 0) < BEARABLE_LOSSES

    wait_until(are_none, "trials that were lost often to end")


def test_a_coordinator_stopped_beyond_its_lease_is_refused_when_it_goes_on(
    any_database: Database, cases: Studies, orders: Orders, kind: str, promises: Promises
) -> None:
    spec = small_search("random", 400 if IS_LONG else 150, training={"epochs": 16})
    study = cases.create(spec)
    with fleet_of(replace(orders, pause_seconds=0.05), 2) as fleet:
        n_stops = 0
        while n_stops < N_STALE_WRITES:
            _spare_the_often_lost(any_database)
            wait_until(lambda: _holder(any_database, study.id) is not None, "an owner")
            former = str(_holder(any_database, study.id))

            def is_another(former: str = former) -> bool:
                return _holder(any_database, study.id) not in (None, former)

            owner = next(process for process in fleet.processes if f":{process.pid}:" in former)
            if not fleet.stop_before_it_writes(owner, is_another):
                continue  # it had lost the study by itself, on a busy machine
            wait_until(is_another, "another owner")
            fleet.resume(owner)
            n_stops += 1
            wait_until(lambda n=n_stops: fleet.told()[1] >= n, "its write to be refused")  # type: ignore[misc] # loop variable
        wait_until(lambda: count_open(any_database, [study.id]) == 0, "the study to end")
        results, n_refused = fleet.told()
    audit(any_database, Told({study.id: spec}, results))
    assert n_refused >= N_STALE_WRITES
    promises.reach("R3", kind, f"0 double, {n_refused} of {n_refused} stale writes refused", is_full=n_refused >= 15)


def _holder(database: Database, study_id: str) -> str | None:
    with database.read() as connection:
        return connection.execute(select(studies.c.lease_holder).where(studies.c.id == study_id)).scalar_one_or_none()


def test_the_work_of_a_killed_coordinator_is_taken_up_within_its_lease(
    any_database: Database, cases: Studies, orders: Orders, kind: str, promises: Promises
) -> None:
    longest = 0.0
    for _ in range(N_TAKEOVERS):
        study = cases.create(GRID_OF_24)
        with fleet_of(replace(orders, pause_seconds=0.1), 1) as fleet:
            wait_until(lambda of=study.id: _holder(any_database, of) is not None, "an owner")  # type: ignore[misc] # loop variable
            former = _holder(any_database, study.id)
            fleet.start()
            fleet.kill(fleet.processes[0])
            longest = max(
                longest,
                wait_until(
                    lambda of=study.id, was=former: _holder(any_database, of) not in (None, was),  # type: ignore[misc] # loop variables
                    "another owner",
                    LEASE_SECONDS + 5,
                ),
            )
        cases.cancel(study.id)
    promises.reach("R4", kind, f"requeued {longest:.1f} s after the kill, lease {LEASE_SECONDS} s", is_full=IS_LONG)


@pytest.mark.parametrize("takes_place", [False, True], ids=["before", "after"])
def test_death_at_any_access_of_the_database_leaves_nothing_running(
    lab: Laboratory, kind: str, promises: Promises, takes_place: bool
) -> None:
    n_deaths = 0
    for accesses in TRIED_ACCESSES:
        spec = small_search("tpe", 3)
        study = lab.studies.create(spec)
        database = UnreliableDatabase(lab.database.url)
        doomed = Coordinator(database, FormulaExecutor(), lab.settings)
        lab.coordinators.append(doomed)
        database.strike = Strike(accesses, takes_place, kills=True)
        try:
            while lab.studies.get(study.id).state != "finished":
                one_round(doomed)
        except KilledError:
            n_deaths += 1
        lab.expire_leases()
        lab.coordinator().run_until_done(study.id)
        audit(lab.database, Told({study.id: spec}, {}))
        lab.close_coordinators()
        database.dispose()
    assert n_deaths >= 3
    where = "after" if takes_place else "before"
    promises.reach("R4", kind, f"0 left running, {n_deaths} deaths {where} an access", is_full=IS_LONG)
