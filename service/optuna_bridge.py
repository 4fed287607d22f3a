"""The only module that touches Optuna's studies and storages. Our ledger is the truth; Optuna draws, prunes and shows.

Optuna keeps its tables in the ledger's database. They hold the trials that have ended, each written in the transaction
in which the ledger notes that it was. Samplers and pruners work on a copy in memory, which knows the open trials too:
a draw needs no database, and one that comes to nothing leaves no trace.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import StorageInternalError
from optuna.storages import InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from search_spaces.grids import asked_knobs, is_searched, point_key
from search_spaces.ranges import Interval, distribution
from search_spaces.regularizers.base import AskedRange
from search_spaces.spec import StudySpec
from search_spaces.values import Point, Scalar
from service.database.engine import Database, engine_options, set_up_sqlite
from service.errors import DatabaseUnavailableError
from service.optuna_rows import add_trials, twin_name_in
from service.optuna_samplers import LEARNING, make_pruner, make_sampler, sketch_point, suggest_point

log = logging.getLogger(__name__)

OPEN_ATTEMPTS = 3
NUMBER = "trial"
REASON = "reason"


@dataclass(frozen=True, kw_only=True)
class EndedTrial:
    """What Optuna is to know about a trial that ended.

    Attributes:
        state: `complete`, `pruned` or `failed`.
        value: Mean validation metric; finite if the trial is complete.
        attributes: Mean, standard error and n of the accuracies.
    """

    number: int
    state: str
    point: Point
    value: float | None
    attributes: Mapping[str, float | None]
    reason: str | None


class OptunaBridge:
    """Optuna's tables in the ledger's database; opened when first needed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._storage: RDBStorage | None = None

    def open(self, study_id: str, spec: StudySpec, open_points: Iterable[Point]) -> "OptunaStudy":
        """The study's twin in Optuna, made if it does not exist.

        Args:
            study_id: Our study.
            spec: What it asks.
            open_points: The points of its trials that have not ended.

        Raises:
            DatabaseUnavailableError: The database cannot be reached.
        """
        with _outages_named():
            storage = self._opened()
            study = optuna.create_study(
                storage=storage,
                study_name=self._twin_name(study_id, spec),
                direction=spec.objective.direction,
                load_if_exists=True,
            )
            twin_id = storage.get_study_id_from_name(study.study_name)
            return OptunaStudy(twin_id, spec, study.get_trials(deepcopy=False), open_points)

    def trials(self, study_id: str, spec: StudySpec) -> list[FrozenTrial]:
        """Everything that Optuna's tables have of a study; nothing if it has no twin.

        Raises:
            DatabaseUnavailableError: The database cannot be reached.
        """
        with _outages_named():
            try:
                return optuna.load_study(
                    study_name=self._twin_name(study_id, spec), storage=self._opened()
                ).get_trials()
            except KeyError:
                return []

    def delete(self, study_id: str, spec: StudySpec) -> None:
        """Deletes a study's twin, if there is one.

        Raises:
            DatabaseUnavailableError: The database cannot be reached.
        """
        with _outages_named():
            try:
                optuna.delete_study(study_name=self._twin_name(study_id, spec), storage=self._opened())
            except KeyError:
                log.debug("study %s had no twin in Optuna", study_id)

    def close(self) -> None:
        """Closes all connections."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = None

    def _twin_name(self, study_id: str, spec: StudySpec) -> str:
        with self._database.read() as connection:
            return twin_name_in(connection, study_id) or f"{spec.name} [{study_id}]"

    def _opened(self) -> RDBStorage:
        if self._storage is None:
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            self._storage = make_storage(self._database)
        return self._storage


class OptunaStudy:
    """One study's twin in Optuna.

    Args:
        twin_id: Its id in Optuna's tables.
        spec: What the study asks.
        known: What the tables have of it.
        open_points: The points of its trials that have not ended.
    """

    def __init__(
        self, twin_id: int, spec: StudySpec, known: Sequence[FrozenTrial], open_points: Iterable[Point]
    ) -> None:
        self._twin_id = twin_id
        self._spec = spec
        self._ids = {int(trial.user_attrs[NUMBER]): trial._trial_id for trial in known if NUMBER in trial.user_attrs}  # noqa: SLF001 - Optuna offers no public name for a trial's id
        self._mirror = _mirror(spec, known)
        self._running: dict[str, int] = {}
        if self._mirror is not None:
            for point in open_points:
                self.start(point)

    def draw(self, number: int, attempt: int, taken: Collection[str]) -> Point | None:
        """Draws a point; None if it is one that the study has.

        Args:
            number: How many points the sampler has drawn before; equal numbers draw alike, also after a restart.
            attempt: Counts the draws for one number, where earlier ones repeated old points.
            taken: Keys of the points that the study has.
        """
        if self._mirror is None or self._spec.search.sampler not in LEARNING:
            point = sketch_point(self._spec, number, attempt)
            return None if point_key(point) in taken else point
        self._mirror.sampler = make_sampler(self._spec, number, attempt)
        trial = self._mirror.ask()
        point = suggest_point(self._spec, trial)
        if (key := point_key(point)) in taken:
            self._mirror.tell(trial, state=TrialState.FAIL)
            return None
        self._running[key] = trial.number
        return point

    def start(self, point: Point) -> None:
        """Lets samplers and pruners know of an open trial; harmless if they do."""
        if self._mirror is None or point_key(point) in self._running:
            return
        params, distributions = _parameters(self._spec, point)
        self._running[point_key(point)] = len(self._mirror.get_trials(deepcopy=False))
        self._mirror.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=distributions))

    def discard(self, point: Point) -> None:
        """Forgets a drawn point that the ledger did not take."""
        number = self._running.pop(point_key(point), None)
        if self._mirror is not None and number is not None:
            self._mirror.tell(number, state=TrialState.FAIL)

    def report(self, point: Point, epoch: int, value: float) -> bool:
        """Reports the mean validation metric after so many epochs; returns whether the pruner gives the trial up."""
        if self._mirror is None:
            return False
        self.start(point)
        trial = optuna.Trial(self._mirror, self._running[point_key(point)])
        trial.report(value, epoch)
        return trial.should_prune()

    def tell(self, connection: Connection, ended: Sequence[EndedTrial]) -> dict[int, int]:
        """Makes Optuna know the ends of trials, in a transaction that owns the study; those it knows are passed over.

        Returns:
            Trial number to the trial's id in Optuna.
        """
        new = [trial for trial in ended if trial.number not in self._ids]
        frozen = [self._ended(trial) for trial in new]
        ids = add_trials(connection, self._twin_id, frozen)
        self._ids |= {trial.number: trial_id for trial, trial_id in zip(new, ids, strict=True)}
        return {trial.number: self._ids[trial.number] for trial in ended}

    def _ended(self, ended: EndedTrial) -> FrozenTrial:
        state = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}.get(ended.state, TrialState.FAIL)
        attributes: dict[str, float | str] = {NUMBER: ended.number}
        attributes |= {name: value for name, value in ended.attributes.items() if value is not None}
        if ended.reason is not None:
            attributes[REASON] = ended.reason
        value = ended.value if state is TrialState.COMPLETE else None
        number = self._running.pop(point_key(ended.point), None)
        if self._mirror is None or number is None:
            return self._new(ended.point, state, value, attributes)
        trial = optuna.Trial(self._mirror, number)
        for name, attribute in attributes.items():
            trial.set_user_attr(name, attribute)
        return self._mirror.tell(number, value, state)

    def _new(
        self, point: Point, state: TrialState, value: float | None, attributes: dict[str, float | str]
    ) -> FrozenTrial:
        params, distributions = _parameters(self._spec, point)
        frozen = create_trial(
            state=state, value=value, params=params, distributions=distributions, user_attrs=attributes
        )
        if self._mirror is not None:
            self._mirror.add_trial(frozen)
        return frozen


def _mirror(spec: StudySpec, known: Sequence[FrozenTrial]) -> optuna.Study | None:
    """The study in memory, for samplers that learn and for pruners; None where there is neither."""
    if spec.search.sampler not in LEARNING and spec.search.pruner == "none":
        return None
    mirror = optuna.create_study(
        storage=InMemoryStorage(), direction=spec.objective.direction, pruner=make_pruner(spec)
    )
    mirror.add_trials(trial for trial in known if trial.state.is_finished())
    return mirror


def _parameters(spec: StudySpec, point: Point) -> tuple[dict[str, Scalar], dict[str, BaseDistribution]]:
    """The searched parameters of a point, and what they are drawn from; values beyond what is searched are left out."""
    params: dict[str, Scalar] = {}
    distributions: dict[str, BaseDistribution] = {}
    for name, asked in spec.regularizers.items():
        key = f"{name}.enabled"
        if asked.optional and key in point:
            params[key], distributions[key] = point[key], CategoricalDistribution((False, True))
    for name, knob_name, knob, asked_range in asked_knobs(spec):
        key = f"{name}.{knob_name}"
        if key in point and is_searched(asked_range):
            value = _inside(asked_range, point[key])
            if value is not None:
                params[key], distributions[key] = value, distribution(asked_range, knob)
    return params, distributions


def _inside(asked: AskedRange, value: Scalar) -> Scalar | None:
    """The value as the range writes it; None where the range does not hold it."""
    levels = asked.levels()
    if levels is not None:
        return next((level for level in levels if level == value), None)
    inside = isinstance(asked, Interval) and not isinstance(value, (bool, str)) and asked.low <= value <= asked.high
    return value if inside else None


def make_storage(database: Database, *, begin: str = "BEGIN IMMEDIATE") -> RDBStorage:
    """Optuna's storage. Two coordinators may make its tables at once; the slower one tries again.

    Its transactions on SQLite are immediate too, or they could not be upgraded beside our writers. It only makes and
    deletes studies, which can be repeated, so `synchronous=NORMAL` is enough.

    Args:
        database: Where Optuna's tables lie.
        begin: How transactions on SQLite begin; a mere reader takes "BEGIN" and locks no writer out.
    """
    for attempt in range(OPEN_ATTEMPTS):
        try:
            storage = RDBStorage(database.url, engine_kwargs=engine_options(database.url))
        except (IntegrityError, OperationalError, ProgrammingError):
            if attempt == OPEN_ATTEMPTS - 1:
                raise
        else:
            break
    if database.is_sqlite:
        set_up_sqlite(storage.engine, begin=begin, synchronous="NORMAL")
        storage.engine.dispose()
    return storage


@contextmanager
def _outages_named() -> Iterator[None]:
    try:
        yield
    except (StorageInternalError, OperationalError) as error:
        msg = f"Optuna's tables cannot be reached ({type(error).__name__}); try again"
        raise DatabaseUnavailableError(msg) from error
