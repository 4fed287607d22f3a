"""The use cases of studies, without HTTP: submit, look, steer, delete."""

import hashlib
import json
import secrets
from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from search_spaces.grids import point_key
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.database import queries_studies as study_rows
from service.database import queries_trials as trial_rows
from service.database.clock import NowSeconds
from service.database.engine import Database
from service.database.queries_idempotency import forget_old_keys, insert_key, select_key
from service.database.queries_studies import StudyRow
from service.database.queries_trials import PlannedPoint
from service.datasets import expect_dataset
from service.effects.records import ReplicateRecord, StudyRecord
from service.errors import (
    InvalidStudySpecError,
    KeyReusedError,
    TrialNotFoundError,
)
from service.settings import Settings
from service.study_changes import StudyChanges, amend
from service.study_checks import estimate_study
from service.study_points import complete_point
from service.study_reader import Stamp, StudyReader, brief, counted, existing, found, stamp
from service.study_states import expect_state, expect_version
from service.study_views import metrics_of, trial_view
from service.views import Estimate, Page, StudyView, TrialView
from trials.curves import unpack

ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
ID_LENGTH = 10
MAX_PAGE = 200
MAX_CURVES_PAGE = 20
MAX_TRIALS_IN_STUDY = 20_000


class Studies:
    """What users do with studies. Whatever changes a study that a coordinator trains takes it out of its hands first.

    Every method may raise DatabaseUnavailableError; those that name a study raise StudyNotFoundError.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._reader = StudyReader()

    def create(self, spec: StudySpec, *, key: str | None = None) -> StudyView:
        """Stores a study; a coordinator takes it from there.

        Args:
            spec: What is asked.
            key: A request that is repeated with its key within a day makes no second study.

        Raises:
            InvalidStudySpecError: It cannot be run here.
            KeyReusedError: The key came with another spec before.
        """
        estimate_study(spec, self._settings)
        if key is None:
            with self._database.begin() as connection:
                return self._created(connection, spec)
        try:
            return self._create_once(spec, key)
        except IntegrityError:
            return self._create_once(spec, key)  # another request with this key was faster, and has made the study

    def _create_once(self, spec: StudySpec, key: str) -> StudyView:
        fingerprint = hashlib.sha256(json.dumps(study_rows.stored_form(spec), sort_keys=True).encode()).hexdigest()
        with self._database.begin() as connection:
            forget_old_keys(connection)
            known = select_key(connection, key)
            if known is None:
                study = self._created(connection, spec)
                insert_key(connection, key, fingerprint, study.id)
                return study
            if known.fingerprint != fingerprint:
                msg = "expected the study that this Idempotency-Key came with before; received another"
                raise KeyReusedError(msg)
            return _view(connection, known.study_id)

    def _created(self, connection: Connection, spec: StudySpec) -> StudyView:
        study_id = "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))
        study_rows.insert_study(connection, study_id, spec)
        expect_dataset(spec.dataset.name, self._settings.data_dir / "datasets")  # again: it may have been removed since
        return _view(connection, study_id)

    def validate(self, spec: StudySpec) -> Estimate:
        """What the study would take.

        Raises:
            InvalidStudySpecError: It cannot be run here.
        """
        return estimate_study(spec, self._settings)

    def get(self, study_id: str) -> StudyView:
        """One study."""
        with self._database.read() as connection:
            views = self._reader.views(connection, [brief(connection, study_id)])
        return existing(next(iter(views), None), study_id)

    def stamp(self, study_id: str) -> Stamp:
        """Differs whenever anything of the study differs."""
        with self._database.read() as connection:
            return stamp(brief(connection, study_id))

    def list_studies(
        self, *, state: str | None = None, tag: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[StudyView]:
        """Studies, newest first.

        Raises:
            InvalidStudySpecError: The cursor is none of ours.
        """
        limit = min(limit, MAX_PAGE)
        below = None if cursor is None else _position(cursor)
        with self._database.read() as connection:
            rows = study_rows.select_briefs(connection, state=state, tag=tag, below=below, limit=limit + 1)
            views = self._reader.views(connection, rows[:limit])
        return Page(items=views, next_cursor=str(rows[limit - 1]["key"]) if len(rows) > limit else None)

    def pause(self, study_id: str) -> StudyView:
        """Stops training at the next segment's end; what was under way starts anew on resume. Repeats are harmless.

        Raises:
            StateConflictError: The study has ended.
        """
        with self._database.begin() as connection:
            study = _locked(connection, study_id)
            if study["state"] != "paused":
                expect_state(study, ("queued", "running"), "paused")
                trial_ids = study_rows.requeue_running(connection, study_id)
                study_rows.change_study(connection, study_id, fenced_off=True, state="paused", settled=True)
                study_rows.queue_trials(connection, trial_ids)
            return _view(connection, study_id)

    def resume(self, study_id: str) -> StudyView:
        """Lets a paused study go on. Repeats are harmless.

        Raises:
            StateConflictError: The study has ended.
        """
        with self._database.begin() as connection:
            study = _locked(connection, study_id)
            if study["state"] not in ("queued", "running"):
                expect_state(study, ("paused",), "resumed")
                study_rows.change_study(connection, study_id, state="queued", settled=False)
            return _view(connection, study_id)

    def cancel(self, study_id: str) -> StudyView:
        """Ends a study; results that are there stay. Repeats are harmless.

        Raises:
            StateConflictError: The study has ended otherwise.
        """
        with self._database.begin() as connection:
            study = _locked(connection, study_id)
            if study["state"] != "cancelled":
                expect_state(study, ("queued", "running", "paused"), "cancelled")
                _cancel(connection, study_id)
            return _view(connection, study_id)

    def change(self, study_id: str, version: int, changes: StudyChanges) -> StudyView:
        """Changes what was asked of a study; its coordinator goes by it from its next round on.

        With room in its new budget a finished study goes on. Planned trials beyond a smaller one are given up.

        Raises:
            InvalidStudySpecError: The study would be none that can be run, or smaller than what was started of it.
            StaleVersionError: The study has changed since the caller saw `version`.
            StateConflictError: Another budget for a study that was cancelled or has failed.
        """
        with self._database.begin() as connection:
            study = _locked(connection, study_id)
            expect_version(study, version)
            amend(connection, study, changes, self._settings)
            return _view(connection, study_id)

    def delete(self, study_id: str, version: int) -> None:
        """Deletes a study with all its results; one that is running is cancelled by it.

        Raises:
            StaleVersionError: The study has changed since the caller saw `version`.
        """
        with self._database.begin() as connection:
            study = _locked(connection, study_id)
            expect_version(study, version)
            study_rows.delete_contents(connection, study_id)
            study_rows.change_study(connection, study_id, fenced_off=True, state=study_rows.DELETED, settled=False)

    def trials(
        self, study_id: str, *, cursor: str | None = None, limit: int = 50, curves: bool = False
    ) -> Page[TrialView]:
        """Trials in the order of their numbers; with curves fewer of them at a time."""
        limit = min(limit, MAX_CURVES_PAGE if curves else MAX_PAGE)
        above = -1 if cursor is None else _position(cursor)
        with self._database.read() as connection:
            rows = trial_rows.select_trials(connection, study_id, above=above, limit=limit + 1)
            if not rows:
                brief(connection, study_id)
            views = _trial_views(connection, rows[:limit], curves=curves)
        return Page(items=views, next_cursor=str(rows[limit - 1]["number"]) if len(rows) > limit else None)

    def trial(self, study_id: str, number: int, *, curves: bool = False) -> TrialView:
        """One trial.

        Raises:
            TrialNotFoundError: The study has no trial of this number.
        """
        with self._database.read() as connection:
            row = trial_rows.select_trial(connection, study_id, number)
            if row is None:
                brief(connection, study_id)
                msg = f"study {study_id} has no trial {number}"
                raise TrialNotFoundError(msg)
            return _trial_views(connection, [row], curves=curves)[0]

    def enqueue(self, study_id: str, points: Sequence[Point]) -> list[TrialView]:
        """Adds points to a study, beyond its budget; a finished study goes on with them.

        A point that the study has already is not trained again.

        Returns:
            The trials of the points, in their order, new and old.

        Raises:
            InvalidStudySpecError: A point is not one of this study's regularizers.
            StateConflictError: The study was cancelled or has failed.
        """
        with self._database.begin() as connection:
            study = _locked(connection, study_id)
            expect_state(study, ("queued", "running", "paused", "finished"), "given more points")
            spec = StudySpec.model_validate(study["spec"])
            complete = [complete_point(spec, point, f"points.{index}") for index, point in enumerate(points)]
            if study["next_number"] + len(points) > MAX_TRIALS_IN_STUDY:
                expected = f"at most {MAX_TRIALS_IN_STUDY - study['next_number']} more points"
                raise InvalidStudySpecError([{"field": "points", "expected": expected, "received": str(len(points))}])
            seeds = range(spec.seed, spec.seed + spec.budget.replicates)
            planned = [PlannedPoint(point, "enqueued") for point in complete]
            trial_rows.plan_trials(connection, study_id, planned, seeds, budget=None)
            if study["state"] == "finished":
                study_rows.change_study(
                    connection, study_id, state="queued", settled=False, reason=None, finished_at=None
                )
            keys = [point_key(point) for point in complete]
            rows = trial_rows.select_by_keys(connection, study_id, keys)
            views = dict(zip(rows, _trial_views(connection, list(rows.values()), curves=False), strict=True))
        return [views[key] for key in dict.fromkeys(keys)]

    def record(self, study_id: str, *, curves: bool = True) -> StudyRecord:
        """The complete replicates, for the estimators."""
        with self._database.read() as connection:
            study = found(connection, study_id)
            rows = trial_rows.select_complete(connection, study_id)
            packed = trial_rows.select_curves(connection, [row["id"] for row in rows]) if curves else {}
        return StudyRecord(
            study_id=study_id,
            name=study["name"],
            spec=StudySpec.model_validate(study["spec"]),
            replicates=tuple(_replicate_record(row) for row in rows),
            curves={replicate_id: unpack(curve) for replicate_id, curve in packed.items()},
        )


def _replicate_record(row: trial_rows.ReplicateRow) -> ReplicateRecord:
    return ReplicateRecord(
        replicate_id=row["id"],
        trial_number=row["number"],
        trial_state=row["trial_state"],
        point=row["parameters"],
        seed=row["seed"],
        metrics=metrics_of(row),
        selected_epoch=row["selected_epoch"],
        last_epoch=row["last_epoch"],
    )


def _cancel(connection: Connection, study_id: str) -> None:
    study_rows.cancel_open(connection, study_id, states=("queued", "running"))
    study_rows.change_study(
        connection, study_id, fenced_off=True, state="cancelled", settled=False, planned=True, finished_at=NowSeconds()
    )


def _view(connection: Connection, study_id: str) -> StudyView:
    return counted(connection, [found(connection, study_id)])[0]


def _trial_views(connection: Connection, rows: Sequence[trial_rows.TrialRow], *, curves: bool) -> list[TrialView]:
    replicates = trial_rows.select_replicates(connection, [row["id"] for row in rows], with_curves=curves)
    return [trial_view(row, replicates.get(row["id"], [])) for row in rows]


def _locked(connection: Connection, study_id: str) -> StudyRow:
    return found(connection, study_id, lock=True)


def _position(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        expected = "a next_cursor of this list"
        raise InvalidStudySpecError([{"field": "cursor", "expected": expected, "received": cursor[:100]}])
    return int(cursor)
