"""The coordinator: plan, group, dispatch, record, and again."""

import threading
import time
from collections.abc import Callable

from service.coordinator.attention import BackOff, attend, guarded, released
from service.coordinator.conclude import conclude, settle
from service.coordinator.desk import Desk
from service.coordinator.dispatch import send_out
from service.coordinator.lease import Leases
from service.coordinator.plan import plan
from service.coordinator.record import record_all
from service.database.engine import Database
from service.optuna_bridge import OptunaBridge
from service.settings import Settings
from service.studies import Studies
from service.views import ENDED_STUDY_STATES, StudyView
from trials.executors.base import Executor

POLL_SECONDS = 0.25
PROGRESS_SECONDS = 0.5


class Coordinator:
    """Drives studies from their specs to their ends. Several may run; each study has one at a time.

    Args:
        database: The ledger, migrated.
        executor: Where training happens; its owner closes it.
        settings: For the length of leases, and where checkpoints lie.
    """

    def __init__(self, database: Database, executor: Executor, settings: Settings) -> None:
        leases = Leases(database, settings.lease_seconds)
        self.desk = Desk(database, executor, leases, OptunaBridge(database), settings.checkpoints_path)
        self._studies = Studies(database, settings)

    def run(self, stop: threading.Event) -> None:
        """Works on all studies until told to stop; then gives them back, with nothing charged."""
        back_off = BackOff(self.desk, stop)
        with released(self.desk):
            while not stop.is_set():
                with back_off.over_outages():
                    self.work_once(stop)

    def run_until_done(self, study_id: str, on_progress: Callable[[StudyView], None] | None = None) -> StudyView:
        """Works on one study until it has ended or is paused; another coordinator may do the work meanwhile.

        Args:
            study_id: Which study.
            on_progress: Called now and then, and at the end.

        Raises:
            StudyNotFoundError: There is no such study, or it was deleted.
        """
        stop, told_at = threading.Event(), 0.0
        back_off = BackOff(self.desk, stop)
        with released(self.desk):
            while True:
                with back_off.over_outages():
                    study = self._studies.get(study_id)
                    done = study.state in ENDED_STUDY_STATES or study.state == "paused"
                    if on_progress is not None and (done or time.monotonic() - told_at > PROGRESS_SECONDS):
                        on_progress(study)
                        told_at = time.monotonic()
                    if done:
                        return study
                    self.work_once(stop, only=study_id)

    def work_once(self, stop: threading.Event, only: str | None = None) -> None:
        """One round: every study is planned, sent out, listened to and, if nothing is left, concluded.

        Raises:
            DatabaseUnavailableError: The round can be repeated when the database is back.
        """
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
