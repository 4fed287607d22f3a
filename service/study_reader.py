"""Studies as the ledger has them, with their progress: counted anew only when something of a study has changed."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection

from service.database import queries_studies as study_rows
from service.database.queries_studies import StudyRow
from service.errors import StudyNotFoundError
from service.recent import Recent
from service.study_views import study_view
from service.views import StudyView

MAX_KEPT = 500

T = TypeVar("T")

Stamp: TypeAlias = tuple[str, int, int, int, int]


def stamp(study: StudyRow) -> Stamp:
    """Differs whenever anything of a study differs, its trials and results included.

    Users' changes count the version up, or the next trial's number; the coordinator's writes are counted by its lease.
    """
    return study["id"], study["version"], study["fence"], study["writes"], study["next_number"]


def found(connection: Connection, study_id: str, *, lock: bool = False) -> StudyRow:
    """One study's row; `lock` keeps others from changing it.

    Raises:
        StudyNotFoundError: No study has this id.
    """
    return existing(study_rows.select_study(connection, study_id, lock=lock), study_id)


def brief(connection: Connection, study_id: str) -> StudyRow:
    """One study's row without its spec, which takes longest to read.

    Raises:
        StudyNotFoundError: No study has this id.
    """
    return existing(study_rows.select_brief(connection, study_id), study_id)


def existing(study: T | None, study_id: str) -> T:
    """The study, if there is one.

    Raises:
        StudyNotFoundError: There is none.
    """
    if study is None:
        msg = f"no study has the id {study_id!r}"
        raise StudyNotFoundError(msg)
    return study


def counted(connection: Connection, studies: Sequence[StudyRow]) -> list[StudyView]:
    """Studies with their progress, also within a transaction that has changed them."""
    ids = [study["id"] for study in studies]
    trials = study_rows.count_trials(connection, ids)
    replicates = study_rows.count_replicates(connection, ids)
    best = study_rows.best_means(connection, ids)
    return [
        study_view(
            study,
            trials=trials.get(study["id"], {}),
            replicates=replicates.get(study["id"], {}),
            best=best.get(study["id"], {}),
        )
        for study in studies
    ]


class StudyReader:
    """Reads committed studies; those that have not changed since are not counted again."""

    def __init__(self) -> None:
        self._recent: Recent[tuple[Stamp, StudyView]] = Recent(MAX_KEPT)

    def views(self, connection: Connection, studies: Sequence[StudyRow]) -> list[StudyView]:
        """Studies with their progress, in their order; one that was deleted meanwhile is left out.

        Args:
            connection: A transaction that has changed nothing, as what is not committed must not be kept.
            studies: Their rows, read in it; brief ones will do.
        """
        views = {study["id"]: self._kept(stamp(study)) for study in studies}
        changed = [study_id for study_id, view in views.items() if view is None]
        if changed:
            whole = study_rows.select_whole(connection, changed)
            for study, view in zip(whole, counted(connection, whole), strict=True):
                self._recent.keep(study["id"], (stamp(study), view))
                views[study["id"]] = view
        return [view for view in views.values() if view is not None]

    def _kept(self, wanted: Stamp) -> StudyView | None:
        kept = self._recent.get(wanted[0])
        return kept[1] if kept is not None and kept[0] == wanted else None
