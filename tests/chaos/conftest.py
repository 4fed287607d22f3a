import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.database.engine import Database
from service.settings import Settings
from service.studies import Studies
from tests.chaos.actors import Orders
from tests.chaos.promises import SEED
from tests.laboratory import Laboratory, open_laboratory


@pytest.fixture
def rng(record_property: Callable[[str, object], None]) -> random.Random:
    """Faults come from here; the seed stands in the table of promises."""
    record_property("seed", SEED)
    return random.Random(SEED)  # noqa: S311 - chooses faults


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))


@pytest.fixture
def orders(any_database: Database, tmp_path: Path) -> Orders:
    return Orders(any_database.url, tmp_path, tmp_path / "told.log")


@pytest.fixture
def cases(any_database: Database, tmp_path: Path) -> Studies:
    """The use cases of studies."""
    return Studies(any_database, Settings(data_dir=tmp_path))


@pytest.fixture
def kind(any_database: Database) -> str:
    return "sqlite" if any_database.is_sqlite else "postgresql"


@pytest.fixture
def lab(any_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    monkeypatch.setattr("service.coordinator.loop.POLL_SECONDS", 0.01)
    with open_laboratory(any_database, tmp_path) as laboratory:
        yield laboratory
