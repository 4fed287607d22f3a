from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database.engine import Database
from tests.laboratory import Laboratory, open_laboratory


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Laboratory]:
    database = Database(f"sqlite:///{tmp_path / 'regtune.sqlite3'}")
    database.migrate()
    with open_laboratory(database, tmp_path) as laboratory:
        yield laboratory


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.coordinator.loop.POLL_SECONDS", 0.01)
