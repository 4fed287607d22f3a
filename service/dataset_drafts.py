"""Files of datasets on their way in: a draft is invisible until it is published whole, or it disappears."""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from service.errors import DatasetNameTakenError, DiskFullError

PREFIX = ".draft-"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Draft:
    """A file that is being written. Its lock says that its writer lives."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{PREFIX}{secrets.token_hex(8)}"
        self.file: IO[bytes] = self.path.open("xb")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def publish(self, path: Path) -> None:
        """Gives the file its name, durably; all of it, or nothing.

        Raises:
            DatasetNameTakenError: There is a file of that name.
        """
        self.file.flush()
        os.fsync(self.file.fileno())
        try:
            path.hardlink_to(self.path)
        except FileExistsError:
            msg = f"expected a name that is free; received {path.stem}, which is taken"
            raise DatasetNameTakenError(msg) from None
        self.discard()
        _sync_folder(path.parent)

    def discard(self) -> None:
        """Removes the draft; what was published stays."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):  # what is still in the buffer of a full disk
            self.file.close()


@contextmanager
def draft_in(folder: Path) -> Iterator[Draft]:
    """A draft that is gone at the end of the block, unless it was published.

    Raises:
        DiskFullError: There is no room for it.
    """
    with room_needed():
        draft = Draft(folder)
        try:
            yield draft
        finally:
            draft.discard()


@contextmanager
def room_needed() -> Iterator[None]:
    """A block that writes files.

    Raises:
        DiskFullError: There is no room for them.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            msg = (
                f"expected room for the dataset; received {error.strerror}. Remove datasets or studies, then try again"
            )
            raise DiskFullError(msg) from None
        raise


def remove_orphans(folder: Path) -> int:
    """Removes drafts whose writer has died; returns how many there were. Other processes may be writing theirs."""
    n_removed = 0
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            n_removed += 1
    return n_removed


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
