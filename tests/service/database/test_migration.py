import threading

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from optuna.storages import RDBStorage
from sqlalchemy import inspect

from service.database.engine import Database, engine_options
from service.database.migration import VERSION_TABLE, downgrade, is_current, is_ours, upgrade
from service.database.tables import PREFIX, metadata


def differences(database: Database) -> list[object]:
    options = {"version_table": VERSION_TABLE, "include_object": is_ours, "compare_type": True}
    with database.read() as connection:
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return found


def test_migrations_make_the_tables_that_the_code_expects(any_database: Database) -> None:
    assert differences(any_database) == []


def test_optunas_tables_beside_the_ledgers_are_left_alone(any_database: Database) -> None:
    RDBStorage(any_database.url, engine_kwargs=engine_options(any_database.url)).engine.dispose()
    assert differences(any_database) == []
    with any_database.begin() as connection:
        downgrade(connection, "base")
    with any_database.read() as connection:
        tables = inspect(connection).get_table_names()
    assert "trials" in tables
    assert {name for name in tables if name.startswith(PREFIX)} == {VERSION_TABLE}


def test_a_database_is_current_only_while_it_is_migrated(any_database: Database) -> None:
    with any_database.begin() as connection:
        assert is_current(connection)
        downgrade(connection, "base")
        assert not is_current(connection)
        upgrade(connection)
        assert is_current(connection)


def test_several_processes_may_migrate_at_once(any_database_url: str) -> None:
    databases = [Database(any_database_url) for _ in range(4)]
    threads = [threading.Thread(target=database.migrate) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with databases[0].read() as connection:
        assert is_current(connection)
    for database in databases:
        database.dispose()
