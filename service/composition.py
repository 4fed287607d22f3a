"""The composition root: settings to the objects that everything else is given."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from service.database.engine import Database
from service.dataset_drafts import remove_orphans
from service.errors import RefusedSettingError
from service.security import ensure_token
from service.settings import Settings
from service.studies import Studies

if TYPE_CHECKING:
    from trials.executors.base import Executor


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the REST API, the pages and the commands work with.

    Attributes:
        token_is_new: Whether this start made the token, so that it has to be shown.
    """

    settings: Settings
    database: Database
    studies: Studies
    token: str
    token_is_new: bool


def compose(settings: Settings) -> Services:
    """Makes the data directory, the database's tables and the token where they do not exist yet.

    Raises:
        DatabaseUnavailableError: The database cannot be reached.
        RefusedSettingError: It is of a kind that is not supported.
    """
    for folder in (settings.data_dir, settings.data_dir / "datasets", settings.data_dir / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    remove_orphans(settings.data_dir / "datasets")
    database = _database(settings)
    database.migrate()
    token, token_is_new = ensure_token(settings.token_path)
    return Services(
        settings=settings,
        database=database,
        studies=Studies(database, settings),
        token=token,
        token_is_new=token_is_new,
    )


def _database(settings: Settings) -> Database:
    try:
        return Database(settings.database_url)
    except (ValueError, ArgumentError, NoSuchModuleError):
        kind = settings.database_url.partition("://")[0][:40]
        msg = f"--database: expected sqlite:///FILE or postgresql+psycopg://...; received {kind}"
        raise RefusedSettingError(msg) from None


def executor_of(settings: Settings) -> "Executor":
    """The place where training happens, as the settings ask.

    Raises:
        RefusedSettingError: What it needs is not installed.
    """
    from trials.executors import ExecutorMissingError, ExecutorSettings, make_executor
    from trials.executors.backends import has_jax

    asked = ExecutorSettings(
        datasets_dir=settings.data_dir / "datasets",
        logs_dir=settings.data_dir / "logs",
        n_processes=settings.processes,
        memory_bytes=settings.trainer_memory_bytes,
        max_cohorts=settings.trainer_max_cohorts,
        recycle_bytes=settings.trainer_recycle_bytes,
        progress_deadline_seconds=settings.progress_deadline_seconds,
        backend=settings.backend,
        ray_address=settings.ray_address,
        device=settings.device,
        processes_per_gpu=settings.processes_per_gpu,
    )
    if settings.backend == "jax" and settings.executor != "ray" and not has_jax():
        raise RefusedSettingError("--backend: jax needs the extra regtune[jax]; received jax, which is not installed")
    try:
        return make_executor(settings.executor, asked)
    except ExecutorMissingError as error:
        raise RefusedSettingError(f"--{error}") from None
