"""Compiled programs kept on disk for training processes to come: their environment says where, before they start."""

import contextlib
import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MAX_KEPT = 200
"""Files; the oldest go first."""

DIRECTORY_VARIABLE = "KEPT_PROGRAMS_DIR"


def keeping_programs(directory: Path) -> dict[str, str]:
    """Environment variables that make TensorFlow and JAX keep what they compile.

    Args:
        directory: Where; made when needed. Programs of other processors and versions lie apart, as they would not run.
    """
    own = directory / _fingerprint()
    try:
        own.mkdir(parents=True, exist_ok=True)
        _prune(own)
    except OSError:
        return {}
    return {
        DIRECTORY_VARIABLE: str(own),
        "TF_XLA_FLAGS": f"--tf_xla_persistent_cache_directory={own} --tf_xla_persistent_cache_prefix=tensorflow",
        "JAX_COMPILATION_CACHE_DIR": str(own),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def forget_programs() -> None:
    """Removes the programs that this process was to use: one of them cannot be read."""
    if directory := os.environ.get(DIRECTORY_VARIABLE):
        for path in Path(directory).iterdir():
            with contextlib.suppress(OSError):
                path.unlink()


def _prune(directory: Path) -> None:
    files = sorted(directory.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in files[:-MAX_KEPT]:
        path.unlink(missing_ok=True)


def _fingerprint() -> str:
    facts = [
        platform.machine(),
        *(_version(name) for name in ("tensorflow", "tensorflow-cpu", "jax", "jaxlib", "keras")),
    ]
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        facts += sorted({line for line in lines if line.startswith(("flags", "model name", "Features"))})
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
