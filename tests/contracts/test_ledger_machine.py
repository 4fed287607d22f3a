"""Random histories of users, coordinators, outages and deaths: SQLite, PostgreSQL and a model agree after each step."""

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from search_spaces.grids import grid_points, point_key
from search_spaces.spec import StudySpec
from service.database.tables import studies
from service.errors import DatabaseUnavailableError, InvalidStudySpecError, StateConflictError, StudyNotFoundError
from service.optuna_bridge import OptunaBridge
from service.settings import Settings
from tests.chaos.promises import Promises
from tests.contracts.ledger_model import Model
from tests.contracts.ledger_world import KilledError, Strike, StudySeen, TrialSeen, UnreliableDatabase, World
from tests.databases import fresh_postgresql
from tests.specs import small_grid, small_search

SHORT = 10
N_EXAMPLES = int(os.environ.get("REGTUNE_LEDGER_EXAMPLES", SHORT))
"""Histories to try; `make chaos` asks for many."""
N_STEPS = 30
MAX_STUDIES = 3

SPECS: dict[str, StudySpec] = {
    "grid": small_grid(budget={"replicates": 1}),
    "random": small_search("random", 3, replicates=2),
    "tpe": small_search("tpe", 3),
}
POINTS = ({"dropout.rate": 0.2}, {"dropout.rate": 0.7})
ENDINGS = ("finished", "refused", "abort", "killed", "memory", "hang", "cancelled")

coordinators = st.integers(0, 1)
places = st.integers(0, 5)
faults = st.none() | st.builds(Strike, st.integers(0, 3), takes_place=st.booleans(), kills=st.booleans())
Worlds = tuple[World, ...]
Answer = TypeVar("Answer")


class LedgerMachine(RuleBasedStateMachine):
    """Each rule takes one step everywhere; each invariant compares."""

    events: ClassVar[Counter[str]] = Counter()

    def __init__(self, worlds: Worlds) -> None:
        super().__init__()
        self.worlds = worlds
        self.model = Model()
        self.n_steps = 0
        for world in worlds:
            with world.database.begin() as connection:
                connection.execute(studies.delete())
            world.ids.clear()
            world.desks = [world.new_desk(), world.new_desk()]

    @initialize(kind=st.sampled_from(sorted(SPECS)))
    def begin(self, kind: str) -> None:
        self.submit(kind)
        self.attend(0, None)
        self.send(0, None)

    @precondition(lambda self: len(self.model.studies) < MAX_STUDIES)
    @rule(kind=st.sampled_from(sorted(SPECS)))
    def submit(self, kind: str) -> None:
        for world in self.worlds:
            world.submit(SPECS[kind])
        self.model.submit(SPECS[kind])

    @rule(c=coordinators, fault=faults)
    def attend(self, c: int, fault: Strike | None) -> None:
        self.work(c, fault, World.attend, lambda: self.attended(c))

    @rule(c=coordinators, fault=faults)
    def send(self, c: int, fault: Strike | None) -> None:
        def sent() -> None:
            before = len(self.model.coordinators[c].flights)
            self.model.take_cohorts(c, self.agreed(lambda world: world.cohorts(c)))
            self.note("sent", len(self.model.coordinators[c].flights) - before)

        self.work(c, fault, World.send, sent)

    @precondition(lambda self: self.model.flights())
    @rule(which=places, n_results=st.integers(0, 3), diverges=st.booleans(), fault=faults)
    def report(self, which: int, n_results: int, *, diverges: bool, fault: Strike | None) -> None:
        flights = self.model.flights()
        self.reports(*flights[which % len(flights)], n_results, diverges=diverges, fault=fault)

    def reports(self, c: int, place: int, n_results: int, *, diverges: bool, fault: Strike | None) -> None:
        if not self.model.coordinators[c].flights[place].open:
            self.ends(c, place, "finished", fault)
            return
        answered = self.agreed(lambda world: world.first_open(c, place, n_results))
        value = self.n_steps / 1000
        for world in self.worlds:
            world.hear(c, world.executor(c).report(place, n_results, value, diverges=diverges))
        self.work(c, fault, World.record, lambda: self.model.report(c, place, answered, value, diverges=diverges))

    @precondition(lambda self: self.model.flights())
    @rule(which=places, ending=st.sampled_from(ENDINGS), fault=faults)
    def end(self, which: int, ending: str, fault: Strike | None) -> None:
        flights = self.model.flights()
        self.ends(*flights[which % len(flights)], ending, fault)

    def ends(self, c: int, place: int, ending: str, fault: Strike | None) -> None:
        for world in self.worlds:
            world.hear(c, world.executor(c).end(place, ending))
        self.note(ending)
        self.work(c, fault, World.record, lambda: self.model.end(c, place, ending))

    @rule(c=coordinators, fault=faults)
    def conclude(self, c: int, fault: Strike | None) -> None:
        self.work(c, fault, World.conclude, lambda: self.model.conclude(c))

    @rule(c=coordinators, n_results=st.integers(1, 3), fault=faults, at=st.integers(0, 3))
    def one_round(self, c: int, n_results: int, fault: Strike | None, at: int) -> None:
        faults_of_stages = [fault if stage == at else None for stage in range(4)]
        self.attend(c, faults_of_stages[0])
        self.send(c, faults_of_stages[1])
        for place in reversed(range(len(self.model.coordinators[c].flights))):
            if place < len(self.model.coordinators[c].flights):
                self.reports(c, place, n_results, diverges=False, fault=faults_of_stages[2])
        self.conclude(c, faults_of_stages[3])

    @rule(c=coordinators, gracefully=st.booleans())
    def change_hands(self, c: int, *, gracefully: bool) -> None:
        if gracefully:
            for world in self.worlds:
                world.release(c)
            self.model.release(c)
            return
        for world in self.worlds:
            world.expire_leases_of_others(c)
        self.model.expire_leases_of_others(c)
        self.work(c, None, World.attend, lambda: self.attended(c))

    @precondition(lambda self: self.model.studies)
    @rule(
        index=st.integers(0, MAX_STUDIES - 1), verb=st.sampled_from(("pause", "resume", "resume", "cancel", "delete"))
    )
    def steer(self, index: int, verb: str) -> None:
        index %= len(self.model.studies)
        expected = _outcome(partial(getattr(self.model, verb), index))
        assert [_outcome(partial(world.steer, index, verb)) for world in self.worlds] == [expected] * len(self.worlds)
        self.note(f"{verb}: {expected}")

    @precondition(lambda self: self.model.has_grid())
    @rule(point=st.sampled_from(POINTS))
    def enqueue(self, point: dict[str, float]) -> None:
        index = next(i for i, study in enumerate(self.model.studies) if study and study.spec.search.sampler == "grid")
        expected = _outcome(partial(self.model.enqueue, index, point_key(dict(point))))
        outcomes = [_outcome(partial(world.enqueue, index, dict(point))) for world in self.worlds]
        assert outcomes == [expected] * len(self.worlds)

    @precondition(lambda self: self.model.studies)
    @rule(index=st.integers(0, MAX_STUDIES - 1), n_trials=st.integers(1, 6))
    def rebudget(self, index: int, n_trials: int) -> None:
        index %= len(self.model.studies)
        expected = _outcome(partial(self.model.rebudget, index, n_trials))
        outcomes = [_outcome(partial(world.rebudget, index, n_trials)) for world in self.worlds]
        assert outcomes == [expected] * len(self.worlds)
        self.note(f"rebudget: {expected}")

    def work(
        self, c: int, fault: Strike | None, stage: Callable[[World, int], None], expected: Callable[[], None]
    ) -> None:
        """Lets a coordinator do one stage, under a fault; what an outage interrupts is repeated, as the loop does."""
        outcome = self.agreed(lambda world: _strike(world, fault, lambda: stage(world, c)))
        self.note({"killed": "died"}.get(outcome, outcome))
        if outcome == "killed":
            for world in self.worlds:
                world.desks[c] = world.new_desk()
            self.model.die(c, self.agreed(World.seen))
            return
        if outcome == "away":
            for world in self.worlds:
                world.desks[c].doubt()
                world.attend(c)
                stage(world, c)
            self.attended(c)
        expected()
        n_lost = len(self.model.coordinators[c].leases)
        self.model.drop_stale(c, self.agreed(lambda world: world.owned(c)))
        self.note("lease lost", n_lost - len(self.model.coordinators[c].leases))

    def attended(self, c: int) -> None:
        self.model.attend(c)
        self.model.take_plan(c, self.agreed(World.seen))

    def agreed(self, question: Callable[[World], Answer]) -> Answer:
        """The answer that every world gives."""
        first, *others = (question(world) for world in self.worlds)
        assert all(other == first for other in others)
        return first

    def note(self, event: str, n: int = 1) -> None:
        self.events[event] += n

    @invariant()
    def ledgers_equal_the_model(self) -> None:
        self.n_steps += 1
        self.events["steps"] += 1
        expected = self.model.seen()
        for world in self.worlds:
            assert world.seen() == expected

    @invariant()
    def nothing_runs_without_an_owner(self) -> None:
        for world in self.worlds:
            desks = {desk.leases.holder: desk for desk in world.desks}
            for row in world.running():
                assert row["lease_holder"] is not None
                assert row["of_study"] == "running"
                if row["lease_holder"] in desks:
                    assert row["cohort_id"] in desks[row["lease_holder"]].flights

    def teardown(self) -> None:
        for world in self.worlds:
            self.note("refused", sum(desk.n_refused_writes for desk in world.desks))
            world.finish()
        for index, study in enumerate(self.agreed(World.seen)):
            if study is not None:
                asked = self.model.studies[index]
                assert asked is not None
                check_ended(study, asked.spec)
                expected = {number: _in_optuna(trial) for number, trial in study.trials.items()}
                for told in (world.told(index) for world in self.worlds):
                    assert told == {number: expected[number] for number in told}
                    untold = expected.keys() - told.keys()
                    assert {study.trials[number].state for number in untold} <= {"cancelled"}


def check_ended(study: StudySeen, spec: StudySpec) -> None:
    """A study ended with exactly its budget, every point once, and nothing open."""
    assert study.settled
    assert not study.is_leased
    states = {trial.state for trial in study.trials.values()}
    assert states <= {"complete", "failed", "cancelled"}
    keys = [trial.key for trial in study.trials.values()]
    assert len(keys) == len(set(keys))
    if study.state == "cancelled":
        return
    assert study.state == ("failed" if states == {"failed"} else "finished")
    assert states <= {"complete", "failed"}
    own = [trial for trial in study.trials.values() if trial.origin != "enqueued"]
    if spec.search.sampler == "grid":
        grid = [point_key(point) for point in grid_points(spec)]
        assert set(keys) <= {*grid, *(point_key(dict(point)) for point in POINTS)}
        assert len(own) <= (spec.budget.trials or len(grid))
        assert len(set(grid) & set(keys)) >= min(spec.budget.trials or len(grid), len(grid))
    else:
        assert len(own) == spec.budget.trials
    for trial in study.trials.values():
        ended = {replicate.state for replicate in trial.replicates.values()}
        assert ended == {"complete"} if trial.state == "complete" else "failed" in ended


def _in_optuna(trial: TrialSeen) -> tuple[str, object]:
    if trial.state != "complete":
        return "FAIL", None
    values = [replicate.value for replicate in trial.replicates.values() if replicate.value is not None]
    return "COMPLETE", pytest.approx(sum(values) / len(values))


def _strike(world: World, fault: Strike | None, stage: Callable[[], None]) -> str:
    world.database.strike = None if fault is None else replace(fault)
    try:
        stage()
    except DatabaseUnavailableError:
        return "away"
    except KilledError:
        return "killed"
    finally:
        world.database.strike = None
    return "undisturbed"


def _outcome(does: Callable[[], object]) -> str:
    try:
        does()
    except StateConflictError:
        return "refused"
    except StudyNotFoundError:
        return "not found"
    except InvalidStudySpecError:
        return "invalid"
    return "done"


@pytest.fixture
def worlds(tmp_path: Path, postgresql: str) -> Iterator[Worlds]:
    urls = (f"sqlite:///{tmp_path / 'regtune.sqlite3'}", fresh_postgresql(postgresql))
    databases = [UnreliableDatabase(url) for url in urls]
    for database in databases:
        database.migrate()
    made = tuple(World(database, OptunaBridge(database), Settings(data_dir=tmp_path)) for database in databases)
    yield made
    for world in made:
        world.bridge.close()
        world.database.dispose()


def test_both_databases_do_what_the_model_does_whatever_happens(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch, promises: Promises
) -> None:
    monkeypatch.setattr("service.coordinator.group.COHORTS_PER_SLOT", 1)
    # Time must not act by itself, or a slow moment makes the histories differ.
    monkeypatch.setattr("service.coordinator.attention.ABANDONED_SECONDS", math.inf)
    LedgerMachine.events.clear()

    class Here(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(worlds)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=N_EXAMPLES,
            stateful_step_count=N_STEPS,
            deadline=None,
            database=None,
            derandomize=N_EXAMPLES <= SHORT,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    events = LedgerMachine.events
    for guarded_against in ("died", "away", "lease lost", "sent", "rebudget: done"):
        assert events[guarded_against] > 0, f"{guarded_against} never happened, so nothing was tested: {events}"
    n_steps = events["steps"]
    promises.reach("R17", "both", f"{n_steps} steps, 0 differences", is_full=n_steps >= 10_000)
