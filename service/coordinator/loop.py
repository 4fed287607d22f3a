"""The coordinator: plan, group, dispatch, record, and again."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.coordinator.attention import attend, guarded, released
from service.coordinator.conclude import conclude, settle
from service.coordinator.desk import Desk
from service.coordinator.dispatch import send_out
from service.coordinator.lease import Leases
from service.coordinator.plan import plan
from service.coordinator.record import record_all
from service.database.engine import Database
from service.errors import DatabaseUnavailableError
from service.optuna_bridge import OptunaBridge
from service.settings import Settings
from service.studies import Studies
from service.views import ENDED_STUDY_STATES, StudyView
from trials.executors.base import Executor

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
PROGRESS_SECONDS = 0.5
MAX_BACK_OFF_SECONDS = 10.0


class Coordinator:
    """Drives studies from their specs to their ends. Several may run; each study has one at a time.

    Args:
        database: The ledger, migrated.
        executor: Where training happens; its owner closes it.
        settings: For the length of leases.
    """

    def __init__(self, database: Database, executor: Executor, settings: Settings) -> None:
        self.desk = Desk(database, executor, Leases(database, settings.lease_seconds), OptunaBridge(database))
        self._studies = Studies(database, settings)
        self._back_off_seconds = POLL_SECONDS

    def run(self, stop: threading.Event) -> None:
        """Works on all studies until told to stop; then gives them back, with nothing charged."""
        with released(self.desk):
            while not stop.is_set():
                with self._outages_waited_out(stop):
                    self._round(stop, only=None)

    def run_until_done(self, study_id: str, on_progress: Callable[[StudyView], None] | None = None) -> StudyView:
        """Works on one study until it has ended or is paused; another coordinator may do the work meanwhile.

        Args:
            study_id: Which study.
            on_progress: Called now and then, and at the end.

        Raises:
            StudyNotFoundError: There is no such study, or it was deleted.
        """
        stop, told_at = threading.Event(), 0.0
        with released(self.desk):
            while True:
                with self._outages_waited_out(stop):
                    study = self._studies.get(study_id)
                    done = study.state in ENDED_STUDY_STATES or study.state == "paused"
                    if on_progress is not None and (done or time.monotonic() - told_at > PROGRESS_SECONDS):
                        on_progress(study)
                        told_at = time.monotonic()
                    if done:
                        return study
                    self._round(stop, only=study_id)

    @contextmanager
    def _outages_waited_out(self, stop: threading.Event) -> Iterator[None]:
        try:
            yield
            self._back_off_seconds = POLL_SECONDS
        except DatabaseUnavailableError as error:
            log.warning("%s", error, extra={"action": "database_away"})
            self.desk.doubt()
            stop.wait(self._back_off_seconds)
            self._back_off_seconds = min(2 * self._back_off_seconds, MAX_BACK_OFF_SECONDS)

    def _round(self, stop: threading.Event, only: str | None) -> None:
        desk = self.desk
        attend(desk, only)
        for study in list(desk.studies.values()):
            with guarded(desk, study):
                (plan if study.is_active else settle)(desk, study)
        send_out(desk)
        if desk.flights:
            desk.events.extend(desk.executor.poll(POLL_SECONDS))
        else:
            stop.wait(POLL_SECONDS)
        record_all(desk)
        for study in list(desk.studies.values()):
            with guarded(desk, study):
                conclude(desk, study)
