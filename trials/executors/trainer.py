"""One training process, seen from its parent."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from trials.executors.backends import BackendChoice
from trials.executors.child import Child
from trials.executors.places import Place
from trials.programs import keeping_programs

INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "KERAS_HOME",
)
"""All that a training process gets to see of its parent's environment."""

SET = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "PYTHONUNBUFFERED": "1",
}


PROGRAMS = ".programs"
"""Folder beside the datasets; what is removed from it is made again."""


@dataclass(frozen=True, kw_only=True)
class TrainerOptions:
    """What every training process is started with.

    Attributes:
        train: Name of the training function, `module:function`.
        datasets_dir: Where `NAME.npz` files lie.
        memory_bytes: Limit of the address space; 0 for none.
        backend: Keras' backend.
    """

    train: str
    datasets_dir: Path
    memory_bytes: int
    backend: BackendChoice = "tensorflow"


class Trainer(Child):
    """A training process, and which programs it has compiled.

    Args:
        options: What to start.
        place: What it has to itself.
        log_path: Where its standard output and error go.

    Raises:
        OSError: The process cannot be started.
    """

    name = "training process"

    def __init__(self, options: TrainerOptions, place: Place, log_path: Path) -> None:
        self.n_cohorts = 0
        self.programs: set[str] = set()
        super().__init__(
            _command(options, place),
            environment()
            | keeping_programs(options.datasets_dir / PROGRAMS)
            | {"KERAS_BACKEND": options.backend}
            | place.environment(),
            log_path,
        )


def _command(options: TrainerOptions, place: Place) -> list[str]:
    command = [sys.executable, "-P", "-m", "trials.process", "--train", options.train]
    command += ["--datasets-dir", str(options.datasets_dir.resolve())]
    command += ["--memory-bytes", str(place.memory_limit(options.memory_bytes))]
    return command if place.core is None else [*command, "--core", str(place.core)]


def environment() -> dict[str, str]:
    """The environment of a training process: no secret of its parent's."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | SET
