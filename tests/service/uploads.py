"""Files to upload: sound ones, and hostile ones."""

import io
import zipfile
from typing import Any

import numpy as np


def arrays(n: int = 20, shape: tuple[int, ...] = (4,)) -> dict[str, Any]:
    """A dataset of two classes."""
    x = np.random.default_rng(0).normal(size=(n, *shape)).astype(np.float32)
    y = np.arange(n) % 2
    return {"x_train": x, "y_train": y, "x_test": x[: n // 2], "y_test": y[: n // 2]}


def npz(**parts: Any) -> bytes:
    """An `.npz` file of a sound dataset, with some arrays replaced."""
    target = io.BytesIO()
    np.savez_compressed(target, **(arrays() | parts))
    return target.getvalue()


def npy(array: Any) -> bytes:
    """One array as it lies in an `.npz` file."""
    target = io.BytesIO()
    np.lib.format.write_array(target, np.asarray(array))
    return target.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file of any members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def members(**parts: bytes) -> dict[str, bytes]:
    """The members of a sound dataset, with some replaced."""
    return {f"{key}.npy": npy(array) for key, array in arrays().items()} | {f"{k}.npy": v for k, v in parts.items()}


def csv_of(*rows: str) -> bytes:
    """A CSV file."""
    return "\n".join((*rows, "")).encode()
