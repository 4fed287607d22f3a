"""Dataset files of the coordinator's, put into Ray's object store once; each node fetches them from there once."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray

from trials.executors.cluster.actor import DatasetFile

MAX_OBJECTS = 2
"""Files kept in the object store; it takes a third of the memory, and a file may have gigabytes."""


@dataclass(frozen=True)
class _Stored:
    version: tuple[int, int]
    digest: str
    content: Any


class ClusterDatasets:
    """Files `NAME.npz` as objects of Ray's.

    Args:
        folder: Where the coordinator has them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stored: OrderedDict[str, _Stored] = OrderedDict()

    def offer(self, name: str) -> DatasetFile | None:
        """The file of this name as it is now; None if there is none."""
        path = self._folder / f"{name}.npz"
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        version = (status.st_mtime_ns, status.st_size)
        stored = self._stored.pop(name, None)
        if stored is None or stored.version != version:
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            stored = _Stored(version, digest, ray.put(np.frombuffer(content, dtype=np.uint8)))
        self._stored[name] = stored
        while len(self._stored) > MAX_OBJECTS:
            self._stored.popitem(last=False)
        return DatasetFile(name, stored.digest, [stored.content])
