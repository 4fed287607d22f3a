"""Every case study builds, takes its regularizers and trains, on a few rows of the shape that it needs."""

from pathlib import Path

import numpy as np
import pytest

from search_spaces.datasets import NamedRef, shape_of
from search_spaces.grids import grid_points
from search_spaces.presets import load_preset, preset_names
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.coordinator.group import CohortSize, QueuedReplicate, group
from service.optuna_samplers import sketch_point
from trials.engine.backends import current_backend
from trials.protocol import Cohort, ReplicateResult, Verdicts
from trials.train import train

N_ROWS = 20
N_DRAWN = 4


def small(spec: StudySpec, folder: Path) -> StudySpec:
    """The same study for one epoch on a few random rows."""
    fitting = shape_of(spec.dataset)
    assert fitting is not None
    shape, n_classes = fitting
    rng = np.random.default_rng(0)
    high, kind = (256, np.uint8) if len(shape) == 3 else (2, np.int32) if spec.model.n_words else (1, np.float32)
    x = (rng.random((2 * N_ROWS, *shape)) * high).astype(kind)
    y = np.arange(2 * N_ROWS, dtype=np.int32) % n_classes
    np.savez(folder / "rows.npz", x_train=x[:N_ROWS], y_train=y[:N_ROWS], x_test=x[N_ROWS:], y_test=y[N_ROWS:])
    training = spec.training.model_copy(update={"epochs": 1, "batch_size": 8, "shuffle": False})
    return spec.model_copy(update={"dataset": NamedRef(name="rows"), "training": training})


def points(spec: StudySpec) -> list[Point]:
    """The first and the last of a grid, or a few that a sampler draws."""
    if spec.search.sampler == "grid":
        every = list(grid_points(spec))
        return [every[0], *every[1:][-1:]]
    return [sketch_point(spec.model_copy(update={"search": RANDOM}), number, 0) for number in range(N_DRAWN)]


RANDOM = load_preset("cocktail").study.search.model_copy(update={"sampler": "random"})


def results_of(cohort: Cohort, folder: Path) -> list[ReplicateResult]:
    found: list[ReplicateResult] = []
    training = train(cohort, folder)
    try:
        report = next(training)
        while True:
            found += [result for lane in report.lanes for result in lane.results]
            report = training.send(Verdicts(cohort_id=cohort.cohort_id))
    except StopIteration:
        return found


def train_from_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps, one operation after the other, take a fraction of the time that XLA would need to compile them."""
    backend = current_backend()
    monkeypatch.setattr(type(backend), "ways", tuple(way for way in backend.ways if way.name == "eager"))


@pytest.mark.parametrize("name", [name for name in preset_names() if not name.endswith("-held-out")])
def test_a_preset_builds_takes_its_regularizers_and_trains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small(load_preset(name).study, tmp_path)
    if not spec.model.has_recurrence:
        train_from_python(monkeypatch)
    queued = [QueuedReplicate(number, number, 7, point) for number, point in enumerate(points(spec))]
    cohorts = group("study", spec, queued, size=CohortSize(32), prefix="c")
    results = [result for cohort in cohorts for result in results_of(cohort, tmp_path)]
    assert {result.state for result in results} == {"complete"}
    assert len(results) == len(queued)
    assert all(0 <= (result.metrics.test_accuracy or 0) <= 1 for result in results)
