"""`regtune doctor`: is everything there that a study needs?"""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

import typer

from service.cli.options import DONE, FAILED, JsonFlag, print_json

if TYPE_CHECKING:
    from service.settings import Settings

TRAINERS = ("tensorflow", "tensorflow-cpu")
GPU_TIMEOUT_SECONDS = 10


class Finding(NamedTuple):
    """One thing looked at; `is_needed` ones make the command fail."""

    name: str
    is_well: bool
    detail: str
    is_needed: bool = True


def doctor(settings: "Settings", as_json: JsonFlag = False) -> int:
    """Check versions, database, data directory, cores, GPU and datasets."""
    findings = list(_findings(settings))
    if as_json:
        print_json({"items": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            mark = "ok  " if finding.is_well else "FAIL" if finding.is_needed else "none"
            typer.echo(f"{mark}  {finding.name:<10} {finding.detail}")
    return DONE if all(f.is_well or not f.is_needed for f in findings) else FAILED


def _findings(settings: "Settings") -> Iterator[Finding]:
    yield Finding("python", is_well=True, detail=platform.python_version())
    yield _versions()
    yield _attempt("data dir", lambda: _writable(settings))
    yield _attempt("database", lambda: _database(settings))
    cores = len(os.sched_getaffinity(0))
    yield Finding("cores", is_well=True, detail=f"{cores}, of which {settings.n_processes} train")
    yield _gpu()
    yield _attempt("datasets", lambda: _datasets(settings))


def _attempt(name: str, look: Callable[[], str]) -> Finding:
    from service.errors import ServiceError

    try:
        return Finding(name, is_well=True, detail=look())
    except (ServiceError, OSError, ValueError) as error:
        return Finding(name, is_well=False, detail=str(error))


def _versions() -> Finding:
    found = {name: _version(name) for name in ("regtune", "keras", "optuna", *TRAINERS)}
    text = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    missing = not found["keras"] or not any(found[name] for name in TRAINERS)
    return Finding("packages", not missing, text + ("; training needs `pip install regtune[cpu]`" if missing else ""))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _writable(settings: "Settings") -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    probe = settings.data_dir / ".doctor"
    probe.write_text("")
    probe.unlink()
    free = shutil.disk_usage(settings.data_dir).free
    return f"{settings.data_dir.resolve()}, {free / 2**30:.0f} GiB free"


def _database(settings: "Settings") -> str:
    from service.composition import compose

    compose(settings).database.ping()
    return settings.database_url.partition("://")[0]


def _gpu() -> Finding:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding("gpu", is_well=False, detail="not seen; training uses the CPU", is_needed=False)
    try:
        answer = subprocess.run(  # noqa: S603  # a fixed command, found on PATH
            [tool, "-L"], capture_output=True, text=True, timeout=GPU_TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("gpu", is_well=False, detail=str(error), is_needed=False)
    return Finding("gpu", is_well=True, detail="; ".join(answer.stdout.splitlines()), is_needed=False)


def _datasets(settings: "Settings") -> str:
    from service.datasets import datasets_on_offer

    return ", ".join(offer.name for offer in datasets_on_offer(settings.data_dir / "datasets"))
