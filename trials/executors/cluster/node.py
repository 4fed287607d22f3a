"""One slot on one machine of a cluster: a core of its own, a folder of its own, and the machine's datasets."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from trials.executors.trainer import PROGRAMS

MAX_STORED_DATASETS = 8
"""Dataset files kept on a machine; the least recently fetched goes first."""


class NodeSlot:
    """The lowest slot of this machine that no living process holds; held until `close`, or until this process ends.

    A slot's number names its core and its folder, so that slots never share either, whatever node of whatever cluster
    they belong to.

    Args:
        root: The folder of all slots of this machine; made where it does not exist.

    Raises:
        PermissionError: The folder belongs to somebody else.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if root.stat().st_uid != os.getuid():
            msg = f"{root}: expected a folder of this user; received one of user {root.stat().st_uid}"
            raise PermissionError(msg)
        self._root = root
        self.number, self._lock = _first_free(root)
        self.folder = root / f"slot-{self.number}"
        self.datasets_dir = self.folder / "datasets"
        self.datasets_dir.mkdir(parents=True, exist_ok=True)
        self._share_programs()

    @property
    def core(self) -> int:
        """The core to stay on."""
        cores = sorted(os.sched_getaffinity(0))
        return cores[self.number % len(cores)]

    def provide(self, name: str, digest: str, fetch: Callable[[], memoryview]) -> None:
        """Puts a dataset into the slot's folder; its content is fetched once per machine.

        A hard link stands in the slot's folder, so that neither another slot's newer file of the same name nor the
        clearing of the store can change what is trained on here.

        Args:
            name: The dataset's name.
            digest: Identifies the content of its file.
            fetch: Gives that content.
        """
        stored = self._root / "datasets" / f"{digest}.npz"
        draft = self.folder / f"{digest}.draft"
        draft.unlink(missing_ok=True)
        try:
            draft.hardlink_to(stored)
        except FileNotFoundError:
            draft.write_bytes(fetch())
            self._store(draft, stored)
        draft.replace(self.datasets_dir / f"{name}.npz")
        draft.unlink(missing_ok=True)

    def withhold(self, name: str) -> None:
        """Removes a dataset from the slot's folder: the coordinator has no such file, or no longer."""
        (self.datasets_dir / f"{name}.npz").unlink(missing_ok=True)

    def _share_programs(self) -> None:
        """What one slot has compiled serves all slots of the machine."""
        shared, own = self._root / "programs", self.datasets_dir / PROGRAMS
        shared.mkdir(exist_ok=True)
        if not own.is_symlink():
            shutil.rmtree(own, ignore_errors=True)
            own.symlink_to(shared.resolve(), target_is_directory=True)

    def _store(self, draft: Path, stored: Path) -> None:
        stored.parent.mkdir(exist_ok=True)
        for old in sorted(stored.parent.iterdir(), key=_changed_at, reverse=True)[MAX_STORED_DATASETS - 1 :]:
            old.unlink(missing_ok=True)
        try:
            stored.hardlink_to(draft)
        except FileExistsError:
            return

    def close(self) -> None:
        """Gives the slot back."""
        os.close(self._lock)


def node_folder() -> Path:
    """Where this machine's slots are: `REGTUNE_NODE_DIR`, or a folder of this user's among the temporary files."""
    given = os.environ.get("REGTUNE_NODE_DIR")
    return Path(given) if given else Path(tempfile.gettempdir()) / f"regtune-node-{os.getuid()}"


def _first_free(root: Path) -> tuple[int, int]:
    for number in count():
        lock = os.open(root / f"slot-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return number, lock
    raise AssertionError("numbers do not end")


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
