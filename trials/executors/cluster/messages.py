"""What the coordinator and its Ray driver tell each other, beside cohorts, verdicts and events."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from search_spaces.values import Value
from trials.executors.places import Device
from trials.executors.processes import ProcessLimits
from trials.executors.trainer import TrainerOptions
from trials.protocol import Cohort, Event, Verdicts


class Setup(Value):
    """The first message to a driver.

    Attributes:
        address: `auto`, `local`, `HOST:PORT` or `ray://HOST:PORT`.
        max_slots: Training actors at once; 0 for as many as the cluster has room for.
        device: What an actor takes of its node; `auto` takes GPUs where the cluster has any, else CPU cores.
        processes_per_gpu: Actors that share one GPU.
        trainer: What every training process is started with; its `datasets_dir` is the coordinator's.
        limits: When a training process is replaced.
    """

    kind: Literal["setup"] = "setup"
    address: str
    max_slots: Annotated[int, Field(ge=0)] = 0
    device: Device = "auto"
    processes_per_gpu: Annotated[int, Field(ge=1)] = 1
    trainer: TrainerOptions
    limits: ProcessLimits

    @property
    def datasets_dir(self) -> Path:
        """Where the coordinator has its `NAME.npz` files."""
        return self.trainer.datasets_dir


class Cancel(Value):
    """Ends a cohort by force."""

    kind: Literal["cancel"] = "cancel"
    cohort_id: str


class Capacity(Value):
    """How many cohorts the cluster can train at once, now."""

    kind: Literal["capacity"] = "capacity"
    n_slots: int


Order: TypeAlias = Cohort | Annotated[Verdicts | Setup | Cancel, Field(discriminator="kind")]
News: TypeAlias = Event | Capacity

ORDERS: TypeAdapter[Order] = TypeAdapter(Order)
NEWS: TypeAdapter[News] = TypeAdapter(News)
