"""What the estimators read: the finished replicates of one study, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from search_spaces.spec import StudySpec
from search_spaces.values import Point
from trials.curves import Curve
from trials.protocol import Metrics


@dataclass(frozen=True, kw_only=True)
class ReplicateRecord:
    """One complete replicate.

    Attributes:
        seed: Replicates of equal seed in different trials share initial weights, data order and random draws.
    """

    replicate_id: int
    trial_number: int
    trial_state: str
    point: Point
    seed: int
    metrics: Metrics
    selected_epoch: int | None
    last_epoch: int | None


@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """A study with its complete replicates, pruned and failed ones left out, and their curves by replicate id."""

    study_id: str
    name: str
    spec: StudySpec
    replicates: tuple[ReplicateRecord, ...]
    curves: Mapping[int, Curve] = field(default_factory=dict)
