"""The ledger as it should be, in plain memory: what each step does to studies, trials and replicates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from search_spaces.grids import grid_points, off_point, point_key
from search_spaces.spec import StudySpec
from service.errors import InvalidStudySpecError, StateConflictError, StudyNotFoundError
from tests.contracts.ledger_world import Name, ReplicateSeen, StudySeen, TrialSeen

OPEN = ("queued", "running")
MAX_OWN_FAULTS = 3
MAX_LOST_WORKERS = 10
MAX_BUDGET = 10_000


@dataclass(eq=False)
class Lease:
    """One coordinator's hold on one study."""

    study: int
    is_active: bool


@dataclass(eq=False)
class Flight:
    """A cohort under way."""

    lease: Lease
    n_lanes: int
    sent: list[Name]
    open: set[Name]


@dataclass
class Replicate:
    """One seeded training."""

    state: str = "queued"
    value: float | None = None
    flight: Flight | None = None


@dataclass
class Trial:
    """One configuration."""

    key: str
    origin: str
    replicates: dict[int, Replicate]
    state: str = "queued"
    own_faults: int = 0
    lost_workers: int = 0
    suspicions: int = 0

    def is_unstarted(self) -> bool:
        """Whether nothing was trained of it."""
        return {self.state} | {replicate.state for replicate in self.replicates.values()} == {"queued"}

    def close(self) -> None:
        """Takes the state that its replicates give it."""
        states = {replicate.state for replicate in self.replicates.values()}
        if self.state in OPEN:
            order = ("running", "queued", "failed", "pruned", "cancelled")
            self.state = next((state for state in order if state in states), "complete")

    def fail_if_hopeless(self) -> None:
        """Ends what is open after too many charges."""
        if self.own_faults >= MAX_OWN_FAULTS or self.lost_workers >= MAX_LOST_WORKERS:
            self.end("failed")

    def end(self, state: str, states: tuple[str, ...] = OPEN) -> None:
        """Ends what is open."""
        for replicate in self.replicates.values():
            if replicate.state in states:
                replicate.state = state

    def requeue(self, flight: Flight | None = None) -> bool:
        """Puts what runs (in one cohort) back into the queue; whether anything did."""
        lost = [r for r in self.replicates.values() if r.state == "running" and flight in (None, r.flight)]
        for replicate in lost:
            replicate.state, replicate.flight = "queued", None
        return bool(lost)


@dataclass
class Study:
    """One study; `owner` is the lease that may write."""

    spec: StudySpec
    state: str = "queued"
    planned: bool = False
    settled: bool = False
    owner: Lease | None = None
    trials: dict[int, Trial] = field(default_factory=dict)

    next_number: int = 0

    def add(self, key: str, origin: str) -> None:
        """Adds a trial under the next number; numbers of trials that were given up are not used again."""
        self.trials[self.next_number] = _new_trial(self.spec, key, origin)
        self.next_number += 1

    @property
    def n_budgeted(self) -> int:
        """Trials that count against the budget."""
        return sum(trial.origin != "enqueued" for trial in self.trials.values())

    @property
    def budget(self) -> int:
        """Trials that the study is to plan by itself."""
        n_points = MAX_BUDGET if self.spec.search.sampler != "grid" else sum(1 for _ in grid_points(self.spec))
        return min(self.spec.budget.trials or n_points, n_points)

    @property
    def has_open(self) -> bool:
        """Whether anything is left to train."""
        return any(trial.state in OPEN for trial in self.trials.values())


@dataclass
class Coordinator:
    """What one coordinator believes."""

    leases: dict[int, Lease] = field(default_factory=dict)
    flights: list[Flight] = field(default_factory=list)


@dataclass
class Model:
    """All studies and both coordinators. A study that is gone is None."""

    studies: list[Study | None] = field(default_factory=list)
    coordinators: list[Coordinator] = field(default_factory=lambda: [Coordinator(), Coordinator()])

    def seen(self) -> list[StudySeen | None]:
        """What a ledger should have."""
        return [None if study is None else _seen(study) for study in self.studies]

    def flights(self) -> list[tuple[int, int]]:
        """Coordinator and place of all cohorts under way."""
        return [(c, place) for c, mine in enumerate(self.coordinators) for place in range(len(mine.flights))]

    def has_grid(self) -> bool:
        """Whether there is a study on a grid."""
        return any(study is not None and study.spec.search.sampler == "grid" for study in self.studies)

    def submit(self, spec: StudySpec) -> None:
        """A user submits a study."""
        self.studies.append(Study(spec))

    def attend(self, c: int) -> None:
        """A coordinator drops what it lost, takes what is free, and settles what has ended."""
        mine = self.coordinators[c]
        mine.leases = {i: lease for i, lease in mine.leases.items() if self._is_valid(lease)}
        for index, study in enumerate(self.studies):
            if study is not None and not study.settled and study.owner is None:
                self._acquire(mine, index, study)
        for index, lease in list(mine.leases.items()):
            if not lease.is_active:
                self._settle(index)
                del mine.leases[index]

    def _acquire(self, mine: Coordinator, index: int, study: Study) -> None:
        if study.state == "queued":
            study.state = "running"
        for trial in study.trials.values():
            if trial.requeue():
                trial.lost_workers += 1
                trial.fail_if_hopeless()
                trial.close()
        study.owner = mine.leases[index] = Lease(index, study.state == "running")

    def _settle(self, index: int) -> None:
        study = self.studies[index]
        assert study is not None
        if study.state == "deleted":
            self.studies[index] = None
        else:
            study.settled, study.owner = True, None

    def _is_valid(self, lease: Lease) -> bool:
        study = self.studies[lease.study]
        return study is not None and study.owner is lease

    def expire_leases_of_others(self, c: int) -> None:
        """Every lease but those of one coordinator ends."""
        for index, study in enumerate(self.studies):
            if study is not None and study.owner is not self.coordinators[c].leases.get(index):
                study.owner = None

    def take_plan(self, c: int, ledger: list[StudySeen | None]) -> None:
        """Takes the points that the coordinator has planned from the ledger, if it was allowed to plan them."""
        for index, lease in self.coordinators[c].leases.items():
            study, seen = self.studies[index], ledger[index]
            if study is None or seen is None or not self._is_valid(lease) or study.planned:
                continue
            known = {trial.key for trial in study.trials.values()}
            for number in sorted(seen.trials.keys() - study.trials.keys()):
                planned = seen.trials[number]
                assert number == study.next_number
                assert planned.key not in known, "a point was planned twice"
                known.add(planned.key)
                study.add(planned.key, planned.origin)
            assert study.n_budgeted <= study.budget
            is_grid = study.spec.search.sampler == "grid"
            if is_grid:
                assert known >= {point_key(point) for point in islice(grid_points(study.spec), study.budget)} or (
                    study.n_budgeted == study.budget
                )
            study.planned = is_grid or study.n_budgeted == study.budget

    def take_cohorts(self, c: int, cohorts: list[tuple[int, list[Name]]]) -> None:
        """Takes the cohorts that the coordinator has sent out, if it was allowed to send them."""
        mine = self.coordinators[c]
        for n_lanes, names in cohorts[len(mine.flights) :]:
            lease = mine.leases[names[0][0]]
            assert self._is_valid(lease), "a cohort was sent out under a stale lease"
            flight = Flight(lease, n_lanes, names, set(names))
            for name in names:
                trial, replicate = self._find(name)
                assert replicate.state == "queued", "a replicate was handed out twice"
                replicate.state, replicate.flight, trial.state = "running", flight, "running"
            mine.flights.append(flight)

    def _find(self, name: Name) -> tuple[Trial, Replicate]:
        study = self.studies[name[0]]
        assert study is not None
        trial = study.trials[name[1]]
        return trial, trial.replicates[name[2]]

    def report(self, c: int, place: int, answered: Iterable[Name], value: float, *, diverges: bool) -> None:
        """Some replicates have their answers."""
        flight = self.coordinators[c].flights[place]
        if not self._is_heard(c, flight):
            flight.open.clear()
            return
        answered = list(answered)
        flight.open -= set(answered)
        for name in answered:
            _, replicate = self._find(name)
            assert replicate.flight is flight
            replicate.state, replicate.value = ("failed", None) if diverges else ("complete", value)
            replicate.flight = None
        for name in answered:
            self._find(name)[0].close()

    def end(self, c: int, place: int, cause: str) -> None:
        """A cohort ends: `finished` (perhaps without all answers), `refused`, or a cause of loss."""
        flight = self.coordinators[c].flights.pop(place)
        if not self._is_heard(c, flight):
            return
        study = self.studies[flight.lease.study]
        assert study is not None
        lost = [t for t in study.trials.values() if any(r.flight is flight for r in t.replicates.values())]
        for trial in lost:
            if cause == "refused":
                trial.end("failed")
            else:
                trial.requeue(flight)
                _charge(trial, "abort" if cause == "finished" else cause, flight)
            trial.close()

    def _is_heard(self, c: int, flight: Flight) -> bool:
        return self.coordinators[c].leases.get(flight.lease.study) is flight.lease and self._is_valid(flight.lease)

    def conclude(self, c: int) -> None:
        """A coordinator ends the studies that have nothing left to do."""
        for index, lease in list(self.coordinators[c].leases.items()):
            study = self.studies[index]
            if study is not None and self._is_valid(lease) and study.planned and not study.has_open:
                failed = {trial.state for trial in study.trials.values()} == {"failed"}
                study.state, study.settled, study.owner = "failed" if failed else "finished", True, None
                del self.coordinators[c].leases[index]

    def release(self, c: int) -> None:
        """A coordinator gives everything back."""
        for lease in self.coordinators[c].leases.values():
            study = self.studies[lease.study]
            if study is not None and study.owner is lease:
                study.owner = None
                for trial in study.trials.values():
                    trial.requeue()
                    trial.close()
        self.coordinators[c] = Coordinator()

    def drop_stale(self, c: int, owned: set[int]) -> None:
        """Lets a coordinator forget studies that it has lost; it must not forget any other."""
        mine = self.coordinators[c]
        valid = {index for index, lease in mine.leases.items() if self._is_valid(lease)}
        assert valid <= owned <= mine.leases.keys()
        mine.leases = {index: lease for index, lease in mine.leases.items() if index in owned}

    def die(self, c: int, ledger: list[StudySeen | None]) -> None:
        """A coordinator dies amid its work: what it had done by then is taken from the ledger."""
        self.coordinators[c] = Coordinator()
        for index, seen in enumerate(ledger):
            before = self.studies[index]
            if before is None:
                assert seen is None
            elif seen is None:
                assert before.state == "deleted"
                self.studies[index] = None
            else:
                _check_history(before, seen)
                self.studies[index] = _taken(before, seen)

    def pause(self, index: int) -> None:
        """A user pauses a study."""
        study = self._for_user(index)
        if study.state == "paused":
            return
        _expect(study, ("queued", "running"))
        for trial in study.trials.values():
            if trial.requeue():
                trial.state = "queued"
        study.state, study.settled, study.owner = "paused", True, None

    def resume(self, index: int) -> None:
        """A user lets a study go on."""
        study = self._for_user(index)
        if study.state not in ("queued", "running"):
            _expect(study, ("paused",))
            study.state, study.settled = "queued", False

    def cancel(self, index: int) -> None:
        """A user ends a study."""
        study = self._for_user(index)
        if study.state == "cancelled":
            return
        _expect(study, ("queued", "running", "paused"))
        for trial in study.trials.values():
            trial.end("cancelled")
            if trial.state in OPEN:
                trial.state = "cancelled"
        study.state, study.settled, study.planned, study.owner = "cancelled", False, True, None

    def delete(self, index: int) -> None:
        """A user deletes a study."""
        study = self._for_user(index)
        study.trials.clear()
        study.state, study.settled, study.owner = "deleted", False, None

    def enqueue(self, index: int, key: str) -> None:
        """A user adds a point."""
        study = self._for_user(index)
        _expect(study, ("queued", "running", "paused", "finished"))
        if key not in {trial.key for trial in study.trials.values()}:
            study.add(key, "enqueued")
        if study.state == "finished":
            study.state, study.settled = "queued", False

    def rebudget(self, index: int, n_trials: int) -> None:
        """A user gives a study another budget."""
        study = self._for_user(index)
        if study.spec.budget.trials == n_trials:
            return
        _expect(study, ("queued", "running", "paused", "finished"))
        own = {number: trial for number, trial in study.trials.items() if trial.origin != "enqueued"}
        unstarted = sorted(number for number, trial in own.items() if trial.is_unstarted())
        budget = study.spec.budget.model_copy(update={"trials": n_trials})
        after = replace(study, spec=study.spec.model_copy(update={"budget": budget}))
        if after.budget < len(own) - len(unstarted):
            raise InvalidStudySpecError([])
        study.spec = after.spec
        if study.budget > len(own):
            study.planned = False
            if study.state == "finished":
                study.state, study.settled = "queued", False
        for number in unstarted[::-1][: max(len(own) - study.budget, 0)]:
            del study.trials[number]

    def _for_user(self, index: int) -> Study:
        study = self.studies[index]
        if study is None or study.state == "deleted":
            raise StudyNotFoundError(str(index))
        return study


def _expect(study: Study, states: tuple[str, ...]) -> None:
    if study.state not in states:
        raise StateConflictError(study.state)


def _charge(trial: Trial, cause: str, flight: Flight) -> None:
    alone = len({name[1] for name in flight.sent}) == 1
    if cause == "killed":
        trial.lost_workers += 1
    elif cause == "cancelled" or (cause == "memory" and flight.n_lanes > 1):
        return
    elif alone:
        trial.own_faults += 1
    else:
        trial.suspicions += 1
    trial.fail_if_hopeless()


def _new_trial(spec: StudySpec, key: str, origin: str) -> Trial:
    baseline = off_point(spec)
    assert origin != "baseline" or (baseline is not None and key == point_key(baseline))
    seeds = range(spec.seed, spec.seed + spec.budget.replicates)
    return Trial(key, origin, {seed: Replicate() for seed in seeds})


def _seen(study: Study) -> StudySeen:
    trials = {
        number: TrialSeen(
            trial.key,
            trial.origin,
            trial.state,
            trial.own_faults,
            trial.lost_workers,
            trial.suspicions,
            {seed: ReplicateSeen(r.state, r.value) for seed, r in trial.replicates.items()},
        )
        for number, trial in study.trials.items()
    }
    return StudySeen(study.state, study.planned, study.settled, study.owner is not None, trials)


def _check_history(before: Study, seen: StudySeen) -> None:
    """What was known as ended has ended so, whatever happened since."""
    for number, trial in before.trials.items():
        for seed, replicate in trial.replicates.items():
            if replicate.state not in OPEN:
                assert seen.trials[number].replicates[seed] == ReplicateSeen(replicate.state, replicate.value)
    assert sum(trial.origin != "enqueued" for trial in seen.trials.values()) <= before.budget


def _taken(before: Study, seen: StudySeen) -> Study:
    trials = {number: _trial_taken(trial) for number, trial in seen.trials.items()}
    is_same = before.owner is not None and seen.is_leased
    owner = before.owner if is_same else Lease(-1, is_active=False) if seen.is_leased else None
    taken = Study(before.spec, seen.state, seen.planned, seen.settled, owner, trials, before.next_number)
    taken.next_number = max(before.next_number, 1 + max(trials, default=-1))
    for number, trial in taken.trials.items():
        for seed, replicate in trial.replicates.items():
            if replicate.state == "running" and number in before.trials:
                replicate.flight = before.trials[number].replicates[seed].flight
    return taken


def _trial_taken(seen: TrialSeen) -> Trial:
    replicates: Mapping[int, ReplicateSeen] = seen.replicates
    return Trial(
        seen.key,
        seen.origin,
        {seed: Replicate(replicate.state, replicate.value) for seed, replicate in replicates.items()},
        seen.state,
        seen.own_faults,
        seen.lost_workers,
        seen.suspicions,
    )
