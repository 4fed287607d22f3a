"""Runs Alembic on an open connection, so that a migration is one transaction with its caller's lock."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from service.database.tables import PREFIX

VERSION_TABLE = f"{PREFIX}alembic_version"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrates up to a revision."""
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Migrates down to a revision; `base` removes the ledger."""
    command.downgrade(_config(connection), revision)


def is_current(connection: Connection) -> bool:
    """Whether the ledger's tables have this version's shape."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision() == ScriptDirectory.from_config(_config(connection)).get_current_head()


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Tells Alembic's comparison to leave Optuna's tables alone."""
    return kind != "table" or (name or "").startswith(PREFIX)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config
