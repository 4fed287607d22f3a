"""The only module that touches Optuna's studies and storages. Our ledger is the truth; Optuna draws, prunes and shows.

Optuna keeps its tables in the ledger's database. Every trial that ended is told, repeatedly if need be; telling twice
changes nothing.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from search_spaces.grids import asked_knobs, is_searched
from search_spaces.ranges import Interval, distribution
from search_spaces.regularizers.base import AskedRange
from search_spaces.spec import StudySpec
from search_spaces.values import Point, Scalar
from service.database.engine import Database, engine_options, set_up_sqlite
from service.errors import DatabaseUnavailableError
from service.optuna_samplers import LEARNING, make_pruner, make_sampler, sketch_point, suggest_point

log = logging.getLogger(__name__)

OPEN_ATTEMPTS = 3
NUMBER = "trial"
REASON = "reason"


@dataclass(frozen=True)
class Drawn:
    """A point that a sampler drew, and its running trial in Optuna, where the sampler learns from those."""

    point: Point
    optuna_trial_id: int | None


@dataclass(frozen=True, kw_only=True)
class EndedTrial:
    """What Optuna is to know about a trial that ended.

    Attributes:
        state: `complete`, `pruned`, `failed` or `cancelled`.
        value: Mean validation metric; finite if the trial is complete.
        attributes: Mean, standard error and n of the accuracies.
        optuna_trial_id: Its running trial in Optuna, if it has one.
    """

    number: int
    state: str
    point: Point
    value: float | None
    attributes: Mapping[str, float | None]
    reason: str | None
    optuna_trial_id: int | None


class OptunaBridge:
    """Optuna's tables in the ledger's database; opened when first needed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._storage: RDBStorage | None = None

    def open(self, study_id: str, spec: StudySpec, known_ids: set[int]) -> "OptunaStudy":
        """The study's twin in Optuna, made if it does not exist.

        Args:
            study_id: Our study.
            spec: What it asks.
            known_ids: The twin's trials that our ledger knows; running ones that it does not know are failed.

        Raises:
            DatabaseUnavailableError: The database cannot be reached.
        """
        with _outages_named():
            storage = self._opened()
            study = optuna.create_study(
                storage=storage,
                study_name=twin_name(study_id, spec),
                direction=spec.objective.direction,
                pruner=make_pruner(spec),
                load_if_exists=True,
            )
            twin = OptunaStudy(storage, study, spec)
            twin.reconcile(known_ids)
        return twin

    def delete(self, study_id: str, spec: StudySpec) -> None:
        """Deletes a study's twin, if there is one.

        Raises:
            DatabaseUnavailableError: The database cannot be reached.
        """
        with _outages_named():
            try:
                optuna.delete_study(study_name=twin_name(study_id, spec), storage=self._opened())
            except KeyError:
                log.debug("study %s had no twin in Optuna", study_id)

    def close(self) -> None:
        """Closes all connections."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = None

    def _opened(self) -> RDBStorage:
        if self._storage is None:
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            self._storage = make_storage(self._database)
        return self._storage


class OptunaStudy:
    """One study's twin in Optuna. Its methods raise DatabaseUnavailableError where the database cannot be reached."""

    def __init__(self, storage: RDBStorage, study: optuna.Study, spec: StudySpec) -> None:
        self._storage = storage
        self._study = study
        self._spec = spec
        self._twin_id = storage.get_study_id_from_name(study.study_name)
        self._learns = spec.search.sampler in LEARNING
        self._ids_by_number: dict[int, int] = {}

    def reconcile(self, known_ids: set[int]) -> None:
        """Fails the running trials that the ledger does not know: drawn by a coordinator that then vanished."""
        for frozen in self._storage.get_all_trials(self._twin_id, deepcopy=False):
            trial_id = self._trial_id(frozen.number)
            if NUMBER in frozen.user_attrs:
                self._ids_by_number[int(frozen.user_attrs[NUMBER])] = trial_id
            elif not frozen.state.is_finished() and trial_id not in known_ids:
                self._study.tell(frozen.number, state=TrialState.FAIL, skip_if_finished=True)

    def trials(self) -> list[FrozenTrial]:
        """Everything that Optuna knows of the study."""
        with _outages_named():
            return self._storage.get_all_trials(self._twin_id)

    def draw(self, number: int, attempt: int) -> Drawn:
        """Draws a point.

        Args:
            number: How many points the sampler has drawn before; equal numbers draw alike, also after a restart.
            attempt: Counts the draws for one number, where earlier ones repeated old points.
        """
        if not self._learns:
            return Drawn(sketch_point(self._spec, number, attempt), None)
        with _outages_named():
            self._study.sampler = make_sampler(self._spec, number, attempt)
            trial = self._study.ask()
            point = suggest_point(self._spec, trial)
            return Drawn(point, self._trial_id(trial.number))

    def start_baseline(self, point: Point) -> int | None:
        """Lets a sampler that learns know of a point that it did not draw; returns the trial's id in Optuna."""
        return self.start(point) if self._learns else None

    def start(self, point: Point) -> int:
        """Makes a running trial at a point that no sampler drew; returns its id in Optuna."""
        with _outages_named():
            params, distributions = _parameters(self._spec, point)
            template = create_trial(state=TrialState.RUNNING, params=params, distributions=distributions)
            return self._storage.create_new_trial(self._twin_id, template_trial=template)

    def discard(self, optuna_trial_id: int | None, reason: str) -> None:
        """Fails a drawn trial that the ledger did not take."""
        if optuna_trial_id is None:
            return
        with _outages_named():
            self._end(optuna_trial_id, TrialState.FAIL, None, {REASON: reason})

    def report(self, optuna_trial_id: int, epoch: int, value: float) -> bool:
        """Reports the mean validation metric after so many epochs; returns whether the pruner gives the trial up."""
        with _outages_named():
            self._storage.set_trial_intermediate_value(optuna_trial_id, epoch, value)
            return self._study.pruner.prune(self._study, self._storage.get_trial(optuna_trial_id))

    def tell(self, ended: EndedTrial) -> int | None:
        """Makes Optuna know a trial's end; returns the trial's id in Optuna, None where it needs none."""
        state = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}.get(ended.state, TrialState.FAIL)
        attributes: dict[str, float | str] = {NUMBER: ended.number}
        attributes |= {name: value for name, value in ended.attributes.items() if value is not None}
        if ended.reason is not None:
            attributes[REASON] = ended.reason
        known = ended.optuna_trial_id if ended.optuna_trial_id is not None else self._ids_by_number.get(ended.number)
        with _outages_named():
            if known is not None:
                self._end(known, state, ended.value if state is TrialState.COMPLETE else None, attributes)
                return known
            if ended.state == "cancelled":
                return None
            return self._add(ended, state, attributes)

    def _add(self, ended: EndedTrial, state: TrialState, attributes: dict[str, float | str]) -> int:
        params, distributions = _parameters(self._spec, ended.point)
        template = create_trial(
            state=state,
            value=ended.value if state is TrialState.COMPLETE else None,
            params=params,
            distributions=distributions,
            user_attrs=attributes,
        )
        trial_id = self._storage.create_new_trial(self._twin_id, template_trial=template)
        self._ids_by_number[ended.number] = trial_id
        return trial_id

    def _end(
        self, trial_id: int, state: TrialState, value: float | None, attributes: Mapping[str, float | str]
    ) -> None:
        frozen = self._storage.get_trial(trial_id)
        if frozen.state.is_finished():
            return
        for name, attribute in attributes.items():
            self._storage.set_trial_user_attr(trial_id, name, attribute)
        self._study.tell(frozen.number, value, state, skip_if_finished=True)

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._twin_id, number)


def twin_name(study_id: str, spec: StudySpec) -> str:
    """The study's name in Optuna."""
    return f"{spec.name} [{study_id}]"


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

    Its transactions on SQLite are immediate too, or they could not be upgraded beside our writers. A commit of ours
    that says "told" follows each of its own and makes it durable, so `synchronous=NORMAL` is enough.

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
