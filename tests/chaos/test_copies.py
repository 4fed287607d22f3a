"""R18 and R19: migrations keep what is there, and a backup made under load can be gone on with."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, make_url, select

from service.coordinator.loop import Coordinator
from service.database.engine import Database
from service.database.migration import downgrade, upgrade
from service.database.tables import metadata
from service.settings import Settings
from service.studies import Studies
from tests.chaos.actors import LEASE_SECONDS, Orders, fleet_of
from tests.chaos.audit import Told, audit, count_open, lost_results
from tests.chaos.postgres import CrashingServer, crashing_postgresql
from tests.chaos.promises import Promises
from tests.chaos.studies import mixed, wait_until
from tests.databases import fresh_postgresql
from tests.formula_executor import FormulaExecutor, has_setting, loses
from tests.laboratory import Laboratory
from tests.specs import small_grid

FIRST = "0001"

BackUp = Callable[[str, str], None]
Rows = dict[str, list[dict[str, Any]]]


def test_migrating_down_and_up_again_keeps_every_row(lab: Laboratory, kind: str, promises: Promises) -> None:
    fault = loses("abort", when=has_setting("dropout.rate", 0.2))
    for spec in (small_grid(name="one", tags=["a", "b"]), *mixed(2, 1)):
        lab.finish(spec, FormulaExecutor(fault=fault if spec.name == "one" else lambda _: None))
    with lab.database.read() as connection:
        newest = rows_of(connection)
    with lab.database.begin() as connection:
        downgrade(connection, FIRST)
        schema = inspect(connection)
        kept = {table: schema.get_columns(table) for table in newest if schema.has_table(table)}
        upgrade(connection)
    columns = {table: {column["name"] for column in found} for table, found in kept.items()}
    with lab.database.read() as connection:
        again = rows_of(connection)
    assert checksums(again, columns) == checksums(newest, columns)
    promises.reach("R18", kind, f"checksums of {len(columns)} tables equal after down and up", is_full=True)


def rows_of(connection: Connection) -> Rows:
    """Every row of every table."""
    return {
        table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
        for table in metadata.sorted_tables
    }


def checksums(rows: Rows, columns: dict[str, set[str]]) -> dict[str, str]:
    """One checksum per table, over the tables and columns that the first version has too."""
    found = {}
    for table, names in columns.items():
        assert rows[table], f"{table} is empty, so nothing was tested"
        shown = [[(name, row[name]) for name in sorted(names)] for row in rows[table]]
        found[table] = hashlib.sha256(repr(shown).encode()).hexdigest()
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[CrashingServer]:
    with crashing_postgresql() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def kind_of_backup(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_backup_made_under_load_holds_all_that_was_acknowledged_and_goes_on(
    kind_of_backup: str, request: pytest.FixtureRequest, tmp_path: Path, promises: Promises
) -> None:
    url, restored_url, back_up = _places(kind_of_backup, request, tmp_path)
    database = Database(url)
    database.migrate()
    cases = Studies(database, Settings(data_dir=tmp_path))
    told = {cases.create(spec).id: spec for spec in mixed(2, 4)}
    with fleet_of(Orders(url, tmp_path, tmp_path / "told.log", pause_seconds=0.05), 1) as fleet:
        wait_until(lambda: len(fleet.told()[0]) > 5, "some results")
        acknowledged, _ = fleet.told()
        back_up(url, restored_url)
        assert count_open(database, told) > 0, "the studies ended before the backup"
    database.dispose()
    restored = Database(restored_url)
    assert lost_results(restored, acknowledged) == []
    settings = Settings(data_dir=tmp_path, lease_seconds=LEASE_SECONDS)
    for study_id in told:
        Coordinator(restored, FormulaExecutor(), settings).run_until_done(study_id)
    audit(restored, Told(told, acknowledged))
    restored.dispose()
    promises.reach("R19", kind_of_backup, f"0 of {len(acknowledged)} results lost, the study finished", is_full=True)


def _places(kind: str, request: pytest.FixtureRequest, folder: Path) -> tuple[str, str, BackUp]:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'live.db'}", f"sqlite:///{folder / 'old.db'}", _copy_sqlite
    server = request.getfixturevalue("server")
    return fresh_postgresql(server.url), fresh_postgresql(server.url), _dump_with(server, folder / "dump")


def _copy_sqlite(url: str, restored_url: str) -> None:
    paths = [str(make_url(name).database) for name in (url, restored_url)]
    with closing(sqlite3.connect(paths[0])) as live, closing(sqlite3.connect(paths[1])) as copy:
        live.backup(copy)


def _dump_with(server: CrashingServer, path: Path) -> BackUp:
    def back_up(url: str, restored_url: str) -> None:
        source, target = (_of_libpq(name) for name in (url, restored_url))
        server.run("pg_dump", "--format=custom", f"--file={path}", f"--dbname={source}")
        server.run("pg_restore", f"--dbname={target}", str(path))

    return back_up


def _of_libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
