"""What the service answers: the shapes of studies, trials and replicates in REST, `--json` and pages."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from search_spaces.values import Point
from trials.protocol import Metrics

StudyState = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]
TrialState = Literal["queued", "running", "complete", "pruned", "failed", "cancelled"]

ENDED_STUDY_STATES: frozenset[StudyState] = frozenset({"finished", "failed", "cancelled"})

T = TypeVar("T")


class View(BaseModel):
    """A frozen answer."""

    model_config = ConfigDict(frozen=True)


class Page(View, Generic[T]):
    """A part of a list; `next_cursor` asks for the next part, None at the end."""

    items: list[T]
    next_cursor: str | None = None


class Progress(View):
    """How far a study is. `trials` counts planned trials; `trials_total` is the budget, where it is known."""

    trials_total: int | None
    trials: dict[TrialState, int]
    replicates: dict[TrialState, int]
    epochs_done: int
    epochs_total: int | None


class StudyView(View):
    """A study. `best_validation` is the best trial's mean of the objective so far; None before the first."""

    id: str
    name: str
    state: StudyState
    tags: list[str]
    protocol: Literal["held_out", "as_published"]
    progress: Progress
    best_validation: float | None = None
    notes: str = ""
    priority: int = 0
    reason: str | None
    spec: dict[str, Any]
    version: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class CurveView(View):
    """A learning curve: metric name to one value per epoch, None where it was not read."""

    n_epochs: int
    metrics: dict[str, list[float | None]]


class ReplicateView(View):
    """One seeded training of a trial.

    Attributes:
        trained_by: How it was trained, for people (say, `lane-major, XLA (tensorflow)`); None until it has ended.
    """

    id: int
    seed: int
    state: TrialState
    metrics: Metrics
    selected_epoch: int | None
    last_epoch: int | None
    n_epochs: int
    reason: str | None
    trained_by: str | None = None
    curve: CurveView | None = None


class TrialView(View):
    """A configuration with its replicates."""

    number: int
    state: TrialState
    origin: str
    parameters: Point
    reason: str | None
    metrics: dict[str, dict[str, float | None]]
    """For each metric `mean`, `standard_error` and `n` over the complete replicates."""
    replicates: list[ReplicateView]


class DatasetView(View):
    """Data that a study may name. What a file holds is unknown (None) while it cannot be read."""

    name: str
    summary: str
    built_in: bool
    shape: tuple[int, ...] | None = None
    n_classes: int | None = None
    n_train: int | None = None
    n_test: int | None = None
    n_bytes: int | None = None


class Estimate(View):
    """What a study would take, without running it."""

    points: int
    replicates: int
    lanes: int
    cohorts: int
    epochs: int
    parameters_of_model: int | None
