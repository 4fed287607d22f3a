"""What crosses the boundary between the coordinator and a training process: plain, frozen data.

A cohort goes in. Segment reports come out, each answered by verdicts, until every lane has ended; then a
`CohortFinished`, or a `CohortRefused` or `CohortLost` in its place.
"""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from search_spaces.datasets import DatasetRef
from search_spaces.models import ModelSpec
from search_spaces.preprocessing import Preprocessing
from search_spaces.regularizers.early_stopping import Monitor
from search_spaces.spec import Evaluation, Training
from search_spaces.values import Point, Value
from trials.early_stopping import StoppingRule


class Reader(Value):
    """A replicate that is answered from a lane's curve.

    Replicates that differ in patience alone train identically, so they share a lane and read it differently.
    """

    replicate_id: int
    rule: StoppingRule | None = None


class Lane(Value):
    """One seeded training: one entry along the lane axis of a compiled program.

    Attributes:
        lane_id: Unique within the cohort.
        seed: Seed of the initial weights, the data order and every mask.
        settings: Every knob of every regularizer that is on (`search_spaces.grids.settings`).
        readers: The replicates answered from this lane.
    """

    lane_id: int
    seed: int
    settings: Point
    readers: Annotated[tuple[Reader, ...], Field(min_length=1)]


class Cohort(Value):
    """Lanes that share a program: same model, data, training and structural choices.

    Attributes:
        cohort_id: Unique among all cohorts.
        split_seed: Seed of the validation split (the study's).
        grafts: The regularizers that the program has a place for; a lane without one of them has it off.
        structure: The structural knobs, equal for all lanes.
        monitor: The validation metric whose best epochs are read on train and test data too; None: the schedule only.
        monitor_starts: Epochs at which rules of readers begin to look, so that the best epochs from there on are read;
            where a reader begins elsewhere, train and test data are read at every epoch.
        max_seconds: Wall-clock limit for the whole cohort; None for no limit.
        checkpoints_dir: Where the states of lanes are kept at segment ends; None keeps nothing.
    """

    cohort_id: str
    study_id: str
    dataset: DatasetRef
    model: ModelSpec
    preprocessing: Preprocessing
    evaluation: Evaluation
    training: Training
    split_seed: int = 0
    grafts: tuple[str, ...] = ()
    structure: Point = Field(default_factory=dict)
    monitor: Monitor | None = None
    monitor_starts: tuple[int, ...] = ()
    max_seconds: float | None = None
    checkpoints_dir: Path | None = None
    lanes: Annotated[tuple[Lane, ...], Field(min_length=1)]


class Metrics(Value):
    """Figures of one replicate at its selected epoch; None where not measured or not finite.

    Balanced accuracy is the mean of the recalls of the classes that occur. The spread is there where predictions are
    sampled (`monte_carlo_dropout`): the mean over test examples of the standard deviation, between samples, of the
    predicted class' probability.
    """

    train_accuracy: float | None = None
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    train_balanced_accuracy: float | None = None
    validation_balanced_accuracy: float | None = None
    test_balanced_accuracy: float | None = None
    train_loss: float | None = None
    validation_loss: float | None = None
    test_loss: float | None = None
    test_spread: float | None = None


class ReplicateResult(Value):
    """The end of one replicate.

    Attributes:
        state: `complete`, or `failed` where training diverged.
        selected_epoch: Epoch (from 0) whose weights count.
        last_epoch: Last epoch trained, under the replicate's own rule.
        reason: Why it failed, for people; None if complete.
    """

    replicate_id: int
    state: Literal["complete", "failed"]
    metrics: Metrics = Metrics()
    selected_epoch: int | None = None
    last_epoch: int | None = None
    reason: str | None = None


class LaneReport(Value):
    """The state of one lane at a segment's end.

    Attributes:
        n_epochs: Epochs trained so far.
        curve: The whole curve so far (`trials.curves.pack`).
        results: The replicates that have their answer now.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    lane_id: int
    n_epochs: int
    curve: bytes
    results: tuple[ReplicateResult, ...] = ()


class SegmentReport(Value):
    """What happened since the last report. Training goes on when it is answered by `Verdicts`.

    Attributes:
        trained_by: How the lanes were trained, for people: strategy, way of running it, and backend.
    """

    kind: Literal["segment"] = "segment"
    cohort_id: str
    lanes: tuple[LaneReport, ...]
    seconds: float
    peak_memory_bytes: int
    trained_by: Annotated[str, Field(max_length=100)] = ""


class CohortFinished(Value):
    """Every lane has ended."""

    kind: Literal["finished"] = "finished"
    cohort_id: str
    compilations: int = 0


class CohortRefused(Value):
    """The cohort cannot be trained, here or anywhere: its data or model cannot be had. Its replicates fail."""

    kind: Literal["refused"] = "refused"
    cohort_id: str
    reason: str


LossCause: TypeAlias = Literal["abort", "killed", "memory", "hang", "deadline", "cancelled"]


class CohortLost(Value):
    """The training process ended before the cohort did. What was not answered is trained again.

    Attributes:
        cause: `abort` (it died by itself), `killed` (somebody killed it, or its machine went away), `memory`, `hang`
            (no progress), `deadline` (over `max_seconds`), or `cancelled` (on request).
    """

    kind: Literal["lost"] = "lost"
    cohort_id: str
    cause: LossCause
    reason: str


Event: TypeAlias = Annotated[SegmentReport | CohortFinished | CohortRefused | CohortLost, Field(discriminator="kind")]


class Verdicts(Value):
    """The answer to a segment report: the replicates that need no more training. All others go on."""

    kind: Literal["verdicts"] = "verdicts"
    cohort_id: str
    stop: tuple[int, ...] = ()
