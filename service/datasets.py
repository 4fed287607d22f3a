"""The use cases of datasets: look, add, remove. They are files in the data directory; studies name them."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, text

from search_spaces.datasets import BUILT_IN, DATASET_NAME_PATTERN, SHAPES
from service.database.engine import Database
from service.database.queries_studies import select_users_of_dataset
from service.dataset_checks import DatasetShape, check_npz, describe_npz
from service.dataset_drafts import Draft, draft_in, room_needed
from service.dataset_tables import write_npz
from service.errors import (
    DatasetInUseError,
    DatasetNameTakenError,
    DatasetNotFoundError,
    InvalidDatasetError,
    InvalidStudySpecError,
)
from service.views import DatasetView
from trials.npz_headers import WrongDatasetError

MAX_SHOWN_USERS = 5


class Datasets:
    """What users do with datasets.

    Args:
        database: Knows which studies need which dataset.
        folder: Where the files lie; it exists.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def list_datasets(self) -> list[DatasetView]:
        """Built-in data first, then the files."""
        return datasets_on_offer(self._folder)

    def get(self, name: str) -> DatasetView:
        """One dataset.

        Raises:
            DatasetNotFoundError: There is none of this name.
        """
        if name in BUILT_IN:
            return _built_in(name)
        return _own(self._existing(name))

    def draft(self) -> AbstractContextManager[Draft]:
        """A file to write an upload to; whatever is not published disappears with the block.

        Raises:
            DiskFullError: There is no room.
        """
        return draft_in(self._folder)

    def expect_free(self, name: str) -> None:
        """Returns if a dataset may get this name.

        Raises:
            DatasetNameTakenError: It may not.
        """
        if name in BUILT_IN or self._path(name).exists():
            msg = f"expected a name that is free; received {name}, which is taken"
            raise DatasetNameTakenError(msg)

    def publish(self, draft: Draft, name: str, form: str) -> DatasetView:
        """Checks what was written to a draft, and makes it a dataset.

        Args:
            draft: The file, written to its end.
            name: What studies will call it.
            form: What was written: `npz` or `csv`.

        Raises:
            InvalidDatasetError: It is no dataset; nothing was added.
            DatasetNameTakenError: Another one got the name meanwhile.
            DiskFullError: There is no room.
        """
        self.expect_free(name)
        draft.file.flush()
        try:
            if form == "csv":
                with self.draft() as converted:
                    write_npz(draft.path, converted.file)
                    converted.file.flush()
                    self._publish(converted, name)
            else:
                self._publish(draft, name)
        except WrongDatasetError as error:
            raise InvalidDatasetError(
                [{"field": "body", "expected": error.expected, "received": error.received}]
            ) from None
        return self.get(name)

    def add_file(self, source: Path, name: str) -> DatasetView:
        """Adds a file of this machine, `.npz` or `.csv`; raises what `publish` does."""
        self.expect_free(name)
        with self.draft() as draft, room_needed(), source.open("rb") as file:
            while part := file.read(2**20):
                draft.file.write(part)
            return self.publish(draft, name, "csv" if source.suffix == ".csv" else "npz")

    def remove(self, name: str) -> None:
        """Removes a dataset that no unfinished study needs.

        Raises:
            DatasetNotFoundError: There is none of this name.
            DatasetInUseError: It is built in, or some study still needs it.
        """
        if name in BUILT_IN and not self._path(name).exists():
            msg = f"{name} is built in and cannot be removed"
            raise DatasetInUseError(msg)
        with self._database.begin() as connection:
            self._keep_studies_out(connection)
            users = select_users_of_dataset(connection, name)
            if users:
                msg = f"unfinished studies need {name}: {_listed(users)}"
                raise DatasetInUseError(msg)
            self._existing(name).unlink(missing_ok=True)

    def _publish(self, draft: Draft, name: str) -> None:
        check_npz(draft.path)
        with room_needed():
            draft.publish(self._path(name))

    def _keep_studies_out(self, connection: Connection) -> None:
        """No study can be submitted until the transaction ends; on SQLite there is one writer anyway."""
        if not self._database.is_sqlite:
            connection.execute(text("LOCK TABLE regtune_studies IN SHARE ROW EXCLUSIVE MODE"))

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            msg = f"there is no dataset {name!r}"
            raise DatasetNotFoundError(msg)
        return path

    def _path(self, name: str) -> Path:
        if not re.fullmatch(DATASET_NAME_PATTERN, name):
            msg = f"there is no dataset {name[:100]!r}"
            raise DatasetNotFoundError(msg)
        return self._folder / f"{name}.npz"


def expect_dataset(name: str, folder: Path) -> None:
    """Returns if a study may name this dataset.

    Raises:
        InvalidStudySpecError: There is none of this name.
    """
    if name not in BUILT_IN and not (folder / f"{name}.npz").is_file():
        raise InvalidStudySpecError([{"field": "dataset", "expected": "a dataset that exists", "received": name}])


def datasets_on_offer(folder: Path) -> list[DatasetView]:
    """Built-in data first, then the files of a folder."""
    files = sorted(path for path in folder.glob("*.npz") if path.stem not in BUILT_IN and path.is_file())
    return [*map(_built_in, BUILT_IN), *map(_own, files)]


def _built_in(name: str) -> DatasetView:
    shape, n_classes = SHAPES[name]
    return DatasetView(name=name, summary=BUILT_IN[name], built_in=True, shape=shape, n_classes=n_classes)


def _own(path: Path) -> DatasetView:
    status = path.stat()
    view = DatasetView(name=path.stem, summary=path.name, built_in=False, n_bytes=status.st_size)
    found = _described(path, status.st_mtime_ns, status.st_size)
    return view if found is None else view.model_copy(update=found.model_dump())


@lru_cache(maxsize=1000)
def _described(path: Path, _mtime_ns: int, _n_bytes: int) -> DatasetShape | None:
    """What a file holds; None for a broken one, which somebody put there by hand."""
    try:
        return describe_npz(path)
    except (WrongDatasetError, OSError):
        return None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MAX_SHOWN_USERS])
    return shown if len(names) <= MAX_SHOWN_USERS else f"{shown} and {len(names) - MAX_SHOWN_USERS} more"
