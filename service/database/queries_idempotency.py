"""Statements about requests that may be repeated."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from service.database.clock import NowSeconds
from service.database.tables import idempotency

KEPT_SECONDS = 86_400
"""How long a key is remembered."""


class KnownKey(NamedTuple):
    """What came with a key: the fingerprint of the request, and the study that it made."""

    fingerprint: str
    study_id: str


def select_key(connection: Connection, key: str) -> KnownKey | None:
    """What came with a key before; None for a new key."""
    statement = select(idempotency.c.fingerprint, idempotency.c.study_id).where(idempotency.c.key == key)
    row = connection.execute(statement).one_or_none()
    return None if row is None else KnownKey(*row)


def insert_key(connection: Connection, key: str, fingerprint: str, study_id: str) -> None:
    """Remembers a key.

    Raises:
        IntegrityError: Another request with this key was faster.
    """
    values = {"key": key, "fingerprint": fingerprint, "study_id": study_id, "created_at": NowSeconds()}
    connection.execute(insert(idempotency).values(values))


def forget_old_keys(connection: Connection) -> None:
    """Deletes the keys that were kept long enough."""
    connection.execute(delete(idempotency).where(idempotency.c.created_at < NowSeconds() - KEPT_SECONDS))
