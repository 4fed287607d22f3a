"""`Database`: connections and transactions, the same for SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from service.database.clock import NowSeconds
from service.errors import DatabaseUnavailableError

BUSY_TIMEOUT_SECONDS = 30
STATEMENT_TIMEOUT_SECONDS = 60
POOL_SIZE = 10
"""Connections that stay open, so that none is made anew for a request."""
CACHE_KIBIBYTES = 1000
"""Pages that each connection to SQLite keeps; the system keeps the file too."""
MIGRATION_LOCK = 7_261_951_284

NOTICE_CUTS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""libpq's settings by which a connection whose network was cut ends within about 25 s, not after hours."""

_BEGIN = "regtune_begin"


class Database:
    """One database, with the ledger's tables and Optuna's.

    Every write transaction on SQLite begins with `BEGIN IMMEDIATE`, so that what it reads cannot change before it
    writes; WAL lets readers go on meanwhile; `synchronous=FULL` because an acknowledged result must outlive a loss of
    power, and a study commits a few times per second only. On PostgreSQL, which locks rows, sessions run in UTC.

    Args:
        url: `sqlite:///FILE` or `postgresql+psycopg://…`.

    Raises:
        ValueError: Any other kind of database, or SQLite in memory.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        kind = parsed.drivername
        if kind == "sqlite" and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        elif kind != "postgresql+psycopg":
            shown = parsed.render_as_string()
            msg = f"database must be sqlite:///FILE or postgresql+psycopg://..., received {shown}"
            raise ValueError(msg)
        self.is_sqlite = kind == "sqlite"
        self.engine = create_engine(url, pool_size=POOL_SIZE, pool_use_lifo=True, **engine_options(url))
        self._reader = self.engine
        if self.is_sqlite:
            set_up_sqlite(self.engine, begin="BEGIN", synchronous="FULL")
        else:
            self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: commits at the end of the block, rolls back if it raises.

        Raises:
            DatabaseUnavailableError: The database cannot be reached, is locked or is full.
        """
        with _outages_named(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one moment's state on SQLite; on PostgreSQL each statement sees what was committed then.

        PostgreSQL would give no more within a transaction at READ COMMITTED, which costs two more exchanges.

        Raises:
            DatabaseUnavailableError: The database cannot be reached.
        """
        with _outages_named(), self._reader.connect() as connection:
            yield connection

    def ping(self) -> None:
        """Returns if the database answers.

        Raises:
            DatabaseUnavailableError: It does not.
        """
        with self.read() as connection:
            connection.execute(select(1))

    def migrate(self) -> None:
        """Brings the ledger's tables to this version; harmless where they are, and where others do the same now."""
        from service.database.migration import upgrade

        with self.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            upgrade(connection)

    def dispose(self) -> None:
        """Closes all idle connections."""
        self.engine.dispose()


def now(connection: Connection) -> float:
    """Seconds since 1970 by the database's clock."""
    return float(connection.execute(select(NowSeconds())).scalar_one())


def engine_options(url: str) -> dict[str, Any]:
    """Keyword arguments of `create_engine` that suit a database; Optuna's engine takes the same."""
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}}
    milliseconds = STATEMENT_TIMEOUT_SECONDS * 1000
    options = f"-c timezone=UTC -c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout=120000"
    return {
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "connect_args": {"options": options, "connect_timeout": 10, **NOTICE_CUTS},
    }


def set_up_sqlite(engine: Engine, *, begin: str, synchronous: str) -> None:
    """Takes transactions out of the driver's hands, which would otherwise begin them late, and sets the pragmas."""
    event.listen(engine, "connect", partial(_configure_sqlite, synchronous=synchronous))
    event.listen(engine, "begin", partial(_begin_sqlite, default=begin))


def _configure_sqlite(dbapi_connection: Any, _record: Any, *, synchronous: str) -> None:
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
    cursor.close()


def _begin_sqlite(connection: Connection, *, default: str) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, default))


@contextmanager
def _outages_named() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        msg = "no database connection became free in time; try again"
        raise DatabaseUnavailableError(msg) from error
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except DBAPIError as error:
        msg = f"the database does not answer ({type(error.orig).__name__}); try again"
        raise DatabaseUnavailableError(msg) from error
