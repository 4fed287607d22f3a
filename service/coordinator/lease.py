"""Leases: which coordinator owns a study, by the database's clock. Fences refuse what a former owner writes."""

import os
import secrets
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from service.database import queries_studies as study_rows
from service.database import queries_work as work
from service.database.clock import NowSeconds
from service.database.engine import Database
from service.database.tables import studies
from service.errors import LeaseLostError

RENEW_AFTER = 1 / 3
"""Fraction of the lease after which it is renewed."""


@dataclass
class Lease:
    """The right to write to a study, until another coordinator takes it or a user changes the study."""

    study_id: str
    fence: int
    renewed_at: float = field(default_factory=time.monotonic)


class Leases:
    """One coordinator's leases.

    Args:
        database: The ledger.
        lease_seconds: How long a lease lasts without being renewed.
    """

    def __init__(self, database: Database, lease_seconds: float) -> None:
        self._database = database
        self._seconds = lease_seconds
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def candidates(self, *, only: str | None, excluding: Collection[str], limit: int) -> list[str]:
        """Ids of studies that need a coordinator and have none, by priority, then the oldest first."""
        statement = select(studies.c.id).where(self._free()).limit(limit)
        statement = statement.order_by(studies.c.priority.desc(), studies.c.key)
        statement = statement.where(studies.c.id.not_in(list(excluding)))
        if only is not None:
            statement = statement.where(studies.c.id == only)
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())

    def acquire(self, connection: Connection, study_id: str) -> Lease | None:
        """Takes a study, if it is still free. What a vanished owner had under way goes back into the queue.

        Returns:
            The lease; None if another coordinator was faster.
        """
        statement = select(studies).where(studies.c.id == study_id, self._free()).with_for_update()
        study = connection.execute(statement).mappings().one_or_none()
        if study is None:
            return None
        fence = int(study["fence"]) + 1
        values = {"fence": fence, "lease_holder": self.holder, "lease_until": NowSeconds() + self._seconds}
        connection.execute(update(studies).where(studies.c.id == study_id).values(values))
        if study["state"] == "queued":
            started = func.coalesce(studies.c.started_at, NowSeconds())
            study_rows.change_study(connection, study_id, state="running", started_at=started)
        trial_ids = study_rows.requeue_running(connection, study_id)
        if trial_ids and study["lease_holder"] != self.holder:
            work.charge(connection, trial_ids, column="lost_workers", reason="its coordinator vanished")
            work.fail_hopeless(connection, trial_ids)
        work.close_trials(connection, trial_ids)
        return Lease(study_id, fence)

    def guard(self, connection: Connection, lease: Lease) -> None:
        """Renews a lease; the first statement of every write transaction.

        Raises:
            LeaseLostError: Another coordinator owns the study now, or a user has changed or deleted it.
        """
        owned = and_(studies.c.id == lease.study_id, studies.c.fence == lease.fence)
        values = {"lease_until": NowSeconds() + self._seconds, "writes": studies.c.writes + 1}
        if connection.execute(update(studies).where(owned).values(values)).rowcount == 0:
            msg = f"study {lease.study_id}: fence {lease.fence} is no longer the current one"
            raise LeaseLostError(msg)
        lease.renewed_at = time.monotonic()

    def is_due(self, lease: Lease) -> bool:
        """Whether it is time to renew a lease."""
        return time.monotonic() - lease.renewed_at > self._seconds * RENEW_AFTER

    def current(self, study_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """Study id to its fence and its version now."""
        statement = select(studies.c.id, studies.c.fence, studies.c.version).where(studies.c.id.in_(list(study_ids)))
        with self._database.read() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}

    def release(self, connection: Connection, lease: Lease) -> None:
        """Gives a study back; what is under way goes back into the queue and nothing is charged."""
        self.guard(connection, lease)
        trial_ids = study_rows.requeue_running(connection, lease.study_id)
        work.close_trials(connection, trial_ids)
        values = {"fence": lease.fence + 1, "lease_holder": None, "lease_until": None}
        connection.execute(update(studies).where(studies.c.id == lease.study_id).values(values))

    def _free(self) -> ColumnElement[bool]:
        """A study that we hold without knowing is free to us: the answer to a commit of ours was lost."""
        expired = or_(studies.c.lease_until.is_(None), studies.c.lease_until < NowSeconds())
        return and_(studies.c.settled.is_(False), or_(expired, studies.c.lease_holder == self.holder))
