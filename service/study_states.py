"""What must hold of a study before it is changed: its state, and the version that the caller has seen."""

from service.database.queries_studies import StudyRow
from service.errors import StaleVersionError, StateConflictError


def expect_state(study: StudyRow, states: tuple[str, ...], wish: str) -> None:
    """Returns if the study is in one of the states.

    Raises:
        StateConflictError: It is not; the text says that it can only be `wish` in those.
    """
    if study["state"] not in states:
        expected = " or ".join(states)
        msg = f"a study can be {wish} while it is {expected}; {study['id']} is {study['state']}"
        raise StateConflictError(msg)


def expect_version(study: StudyRow, version: int) -> None:
    """Returns if the study, locked by the caller's transaction, still has this version.

    Raises:
        StaleVersionError: It has changed since.
    """
    if study["version"] != version:
        msg = f"expected the current version {study['version']} of study {study['id']}, received {version}"
        raise StaleVersionError(msg)
