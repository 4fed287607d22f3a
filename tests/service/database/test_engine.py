import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text

from service.database.engine import Database, now
from service.database.queries_studies import insert_study, select_study
from service.database.tables import studies
from service.errors import DatabaseUnavailableError
from tests.specs import small_grid


def test_two_writers_that_read_first_do_not_lose_each_others_update(any_database: Database) -> None:
    with any_database.begin() as connection:
        insert_study(connection, "s", small_grid())

    def count_up() -> None:
        for _ in range(20):
            with any_database.begin() as connection:
                study = select_study(connection, "s", lock=True)
                assert study is not None
                connection.execute(studies.update().values(next_number=study["next_number"] + 1))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with any_database.read() as connection:
        assert connection.execute(select(studies.c.next_number)).scalar_one() == 80


def test_a_block_that_raises_leaves_nothing_behind(any_database: Database) -> None:
    def fail() -> None:
        with any_database.begin() as connection:
            insert_study(connection, "s", small_grid())
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    with any_database.read() as connection:
        assert select_study(connection, "s") is None


def test_the_databases_clock_advances_and_counts_seconds(any_database: Database) -> None:
    with any_database.read() as connection:
        first, second = now(connection), now(connection)
    assert first <= second < first + 5
    assert first > 1_700_000_000


def test_an_unreachable_server_is_named_unavailable_without_the_password() -> None:
    database = Database("postgresql+psycopg://someone:hunter2@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailableError) as caught:
        database.ping()
    assert "hunter2" not in str(caught.value)


def test_a_locked_database_is_named_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.database.engine.BUSY_TIMEOUT_SECONDS", 0)
    database = Database(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    database.migrate()
    with database.begin(), pytest.raises(DatabaseUnavailableError), database.begin():
        pytest.fail("two writers at once")


def test_a_reader_goes_on_beside_a_writer(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    database.migrate()
    with database.begin() as writer:
        insert_study(writer, "s", small_grid())
        with database.read() as reader:
            assert select_study(reader, "s") is None


def test_sqlite_is_durable_and_checks_foreign_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'ledger.sqlite3'}")
    with database.read() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://h/d", "mysql://u:hunter2@h/d"])
def test_other_databases_are_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql\\+psycopg") as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)
