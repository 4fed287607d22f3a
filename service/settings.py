"""Settings, from environment variables `REGTUNE_…` and flags; built once, at the composition root."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

GIBIBYTE = 2**30


class Settings(BaseSettings):
    """Everything an operator can set.

    Attributes:
        data_dir: Database, datasets, logs and `token`.
        database: SQLAlchemy URL; empty means `regtune.sqlite3` in the data directory.
        host: Address to listen on. Anything but a loopback address needs `allow_remote`.
        port: Port to listen on.
        allow_remote: Whether other hosts may connect, though there is but one token: for a container whose port is
            published on a loopback address, or behind a proxy with TLS.
        allowed_hosts: Names, beside the loopback interface's, under which this service may be asked; comma-separated.
        executor: Where training happens: `processes` (children of this machine), `ray` (a cluster's actors) or
            `inline` (this process).
        processes: Training processes; 0 means one per GPU or core of this machine, or of the cluster.
        ray_address: The Ray cluster: `auto` (a node of it runs here), `HOST:PORT`, `ray://HOST:PORT` (from outside), or
            `local` (starts one here).
        device: What a training process has to itself: a `gpu`, a `cpu` core, or (`auto`) a GPU where the machine or the
            cluster has any; on one machine only if the backend that is installed is built for GPUs.
        processes_per_gpu: Training processes that share a GPU.
        backend: Keras' backend in training.
        checkpoints_dir: Where training keeps the states of lanes under way; on a cluster a folder that all nodes share.
            None means `checkpoints` in the data directory.
    trainer_memory_bytes: Address space limit of one training process; 0 for none.
        trainer_max_cohorts: A training process is replaced after so many cohorts.
        trainer_recycle_bytes: A training process that holds more than this is replaced before its next cohort.
        progress_deadline_seconds: A training process silent for longer counts as hung.
        lease_seconds: How long a coordinator owns a study without renewing.
        max_upload_bytes: Largest dataset that may be uploaded.
        log_level: Level of the log on standard error.
    """

    model_config = SettingsConfigDict(env_prefix="REGTUNE_", frozen=True, extra="ignore")

    data_dir: Path = Path(".regtune")
    database: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    allow_remote: bool = False
    allowed_hosts: Annotated[str, Field(pattern=r"^[A-Za-z0-9.,-]*$")] = ""
    executor: Literal["processes", "ray", "inline"] = "processes"
    processes: Annotated[int, Field(ge=0, le=256)] = 0
    ray_address: Annotated[str, Field(pattern=r"^(auto|local|(ray://)?[A-Za-z0-9._-]+:[0-9]{1,5})$")] = "auto"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    processes_per_gpu: Annotated[int, Field(ge=1, le=64)] = 1
    backend: Literal["tensorflow", "jax"] = "tensorflow"
    checkpoints_dir: Path | None = None
    trainer_memory_bytes: Annotated[int, Field(ge=0)] = 16 * GIBIBYTE
    trainer_max_cohorts: Annotated[int, Field(ge=1)] = 100
    trainer_recycle_bytes: Annotated[int, Field(ge=0)] = 4 * GIBIBYTE
    progress_deadline_seconds: Annotated[float, Field(gt=0)] = 900.0
    lease_seconds: Annotated[float, Field(gt=0)] = 30.0
    max_upload_bytes: Annotated[int, Field(ge=1)] = 2 * GIBIBYTE
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL, with its default filled in."""
        return self.database or f"sqlite:///{(self.data_dir / 'regtune.sqlite3').resolve()}"

    @property
    def checkpoints_path(self) -> Path:
        """Folder of checkpoints, with its default filled in."""
        return (self.checkpoints_dir or self.data_dir / "checkpoints").resolve()

    @property
    def n_processes(self) -> int:
        """Number of training processes, with its default filled in."""
        return self.processes or len(os.sched_getaffinity(0))

    @property
    def token_path(self) -> Path:
        """Where the bearer token of the embedded mode lies."""
        return self.data_dir / "token"
