"""A laboratory: a ledger, its use cases, and coordinators whose training is a formula."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.storages import RDBStorage
from sqlalchemy import func, select

from search_spaces.spec import StudySpec
from service.coordinator.loop import Coordinator
from service.database.engine import Database, engine_options
from service.database.tables import replicates, studies
from service.settings import Settings
from service.studies import Studies
from service.views import StudyView, TrialView
from tests.formula_executor import FormulaExecutor


@dataclass
class Laboratory:
    """Studies and what drives them."""

    database: Database
    settings: Settings
    studies: Studies
    coordinators: list[Coordinator] = field(default_factory=list)
    storages: list[RDBStorage] = field(default_factory=list)

    def coordinator(self, executor: FormulaExecutor | None = None) -> Coordinator:
        """A coordinator that is not running yet."""
        coordinator = Coordinator(self.database, executor or FormulaExecutor(), self.settings)
        self.coordinators.append(coordinator)
        return coordinator

    def finish(self, spec: StudySpec, executor: FormulaExecutor | None = None) -> StudyView:
        """A new study, driven to its end."""
        return self.coordinator(executor).run_until_done(self.studies.create(spec).id)

    def trials(self, study_id: str) -> list[TrialView]:
        """All trials of a small study."""
        page = self.studies.trials(study_id, limit=200)
        assert page.next_cursor is None
        return page.items

    def expire_leases(self) -> None:
        """Lets the time of all leases pass."""
        with self.database.begin() as connection:
            connection.execute(studies.update().values(lease_until=0.0))

    def studies_state(self, study_id: str) -> str:
        """State of a study, also of one whose spec cannot be read."""
        with self.database.read() as connection:
            return str(connection.execute(select(studies.c.state).where(studies.c.id == study_id)).scalar_one())

    def count(self, study_id: str, state: str) -> int:
        """Number of replicates in a state."""
        statement = select(func.count()).where(replicates.c.study_id == study_id, replicates.c.state == state)
        with self.database.read() as connection:
            return connection.execute(statement).scalar_one()

    def twin(self, study: StudyView) -> optuna.Study:
        """The study as Optuna has it."""
        return optuna.load_study(study_name=f"{study.name} [{study.id}]", storage=self.storage())

    def storage(self) -> RDBStorage:
        """Optuna's storage, as its dashboard opens it."""
        self.storages.append(RDBStorage(self.database.url, engine_kwargs=engine_options(self.database.url)))
        return self.storages[-1]

    def close_coordinators(self) -> None:
        """Closes every connection of coordinators, vanished ones too."""
        for coordinator in self.coordinators:
            coordinator.desk.bridge.close()
        self.coordinators.clear()

    def close(self) -> None:
        """Closes every connection."""
        self.close_coordinators()
        for storage in self.storages:
            storage.remove_session()
            storage.engine.dispose()
        self.database.dispose()


@contextmanager
def open_laboratory(database: Database, folder: Path) -> Iterator[Laboratory]:
    """A laboratory on a migrated database."""
    settings = Settings(data_dir=folder)
    laboratory = Laboratory(database, settings, Studies(database, settings))
    try:
        yield laboratory
    finally:
        laboratory.close()


def one_round(coordinator: Coordinator) -> None:
    """Lets a coordinator plan, dispatch and record once."""
    coordinator.work_once(threading.Event())


def rounds_until(coordinator: Coordinator, condition: Callable[[], bool], *, at_most: int = 300) -> None:
    """Lets a coordinator work until a condition holds."""
    for _ in range(at_most):
        if condition():
            return
        one_round(coordinator)
    raise AssertionError(f"expected the condition within {at_most} rounds")
