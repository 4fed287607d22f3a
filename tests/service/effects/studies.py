"""Studies made by hand or simulated, with known answers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from search_spaces.grids import grid_points
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.effects.records import ReplicateRecord, StudyRecord
from trials.curves import Curve
from trials.protocol import Metrics


def make_spec(regularizers: Mapping[str, Any] | None = None, **changes: Any) -> StudySpec:
    """A grid study; with `sampler` in `changes`, any other."""
    dataset = "mnist_5k" if regularizers and "augmentation" in regularizers else "circles"
    fields = {
        "name": "study",
        "dataset": dataset,
        "regularizers": regularizers or {},
        "search": {"sampler": changes.pop("sampler", "grid")},
        "budget": {"trials": 1000},
    }
    return StudySpec.model_validate(fields | changes)


Accuracies = Callable[[Point, int], tuple[float | None, float | None, float | None]]


def make_record(
    spec: StudySpec,
    accuracies: Accuracies,
    *,
    seeds: Iterable[int] = range(5),
    points: Iterable[Point] | None = None,
    name: str = "study",
    curve: Callable[[Point, int], Curve] | None = None,
) -> StudyRecord:
    """Every point with every seed; `accuracies` gives train, validation and test."""
    replicates: list[ReplicateRecord] = []
    curves: dict[int, Curve] = {}
    for number, point in enumerate(grid_points(spec) if points is None else points):
        for seed in seeds:
            train, validation, test = accuracies(point, seed)
            metrics = Metrics(train_accuracy=train, validation_accuracy=validation, test_accuracy=test)
            replicate = ReplicateRecord(
                replicate_id=len(replicates) + 1,
                trial_number=number,
                trial_state="complete",
                point=point,
                seed=seed,
                metrics=metrics,
                selected_epoch=0,
                last_epoch=0,
            )
            replicates.append(replicate)
            if curve is not None:
                curves[replicate.replicate_id] = curve(point, seed)
    return StudyRecord(study_id="s1", name=name, spec=spec, replicates=tuple(replicates), curves=curves)


def rate(point: Point) -> float:
    """The dropout rate of a point."""
    return float(point["dropout.rate"])
