"""Prepared datasets kept as files that every training process of a machine maps into memory: the pages are shared."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trials.datasets.dataset import Dataset

MIN_BYTES = 32 * 2**20
"""Smaller datasets are not worth files of their own."""

MAX_KEPT = 4
"""Prepared datasets on disk; the one that was not used for longest goes first."""

DETAILS = "details.json"


def keep(directory: Path, identity: str, make: Callable[[], Dataset]) -> Dataset:
    """A prepared dataset, from its files if they are there, else made and, if large, kept.

    Args:
        directory: Where prepared datasets lie; made when needed. Where nothing can be written, nothing is kept.
        identity: All that the dataset depends on.
        make: Prepares it.
    """
    folder = directory / hashlib.sha256(identity.encode()).hexdigest()[:32]
    if (folder / DETAILS).exists():
        try:
            return _open(folder)
        except (OSError, ValueError):  # somebody is removing it; it can be made again
            return make()
    data = make()
    if sum(array.nbytes for array in _arrays(data).values()) < MIN_BYTES:
        return data
    try:
        _write(folder, data)
        return _open(folder)
    except OSError:
        return data


def _arrays(data: Dataset) -> dict[str, npt.NDArray[Any]]:
    """The arrays by name; where validation and test are the same, once."""
    arrays = {field.name: getattr(data, field.name) for field in fields(data) if field.name[:2] in ("x_", "y_")}
    if data.x_test is data.x_validation:
        del arrays["x_test"], arrays["y_test"]
    return arrays


def _open(folder: Path) -> Dataset:
    details: dict[str, Any] = json.loads((folder / DETAILS).read_text())
    arrays: dict[str, Any] = {
        path.stem: np.asarray(np.load(path, mmap_mode="c", allow_pickle=False)) for path in folder.glob("*.npy")
    }
    os.utime(folder)
    arrays.setdefault("x_test", arrays["x_validation"])
    arrays.setdefault("y_test", arrays["y_validation"])
    return Dataset(**arrays, **details)


def _write(folder: Path, data: Dataset) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        for name, array in _arrays(data).items():
            with (unfinished / f"{name}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                os.fsync(file.fileno())
        (unfinished / DETAILS).write_text(json.dumps({"n_classes": data.n_classes, "divisor": data.divisor}))
        if not folder.exists():
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    by_age = sorted((path for path in folder.parent.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-MAX_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
