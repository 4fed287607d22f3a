"""The five workloads: a study each, its data, and how long a measurement of it lasts."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.grids import grid_points
from search_spaces.spec import StudySpec
from service.coordinator.group import CohortSize, QueuedReplicate, group
from trials.protocol import Cohort

N_VALIDATION = 2_000

UNREAD_EPOCHS = 10_000
"""A training so long that no epoch that is measured is read on train and test data, which `fit` does not do either."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One model on one dataset.

    Attributes:
        name: Its number, W1 to W5.
        title: What it is, for people.
        study: The parts of its StudySpec that are its own; two levels, so that a cohort has unlike lanes.
        n_rows: Training rows.
        lanes_per_core: Lanes of the cohort that each training process gets, an even number.
        engine_epochs: Epochs of each lane in one measurement of the engine.
        fit_epochs: Epochs in one measurement of `fit`.
        plain_target: Times faster than plain `fit` that the engine has to be.
        pinned_target: Times faster than `fit` from an untuned tf.data pipeline in one pinned process per core.
    """

    name: str
    title: str
    study: dict[str, Any]
    n_rows: int
    engine_epochs: int
    fit_epochs: int
    plain_target: float
    pinned_target: float
    lanes_per_core: int = 2


DROPOUT = {"dropout": {"rate": {"grid": [0.2, 0.4]}}}

_ALL = (
    Workload(
        name="W1",
        title="circles, Dense(500), full batch",
        study={
            "dataset": "circles",
            "model": {"family": "mlp", "hidden_units": [500]},
            "preprocessing": "none",
            "regularizers": DROPOUT,
            "training": {"epochs": 4000, "batch_size": 32},
        },
        n_rows=30,
        engine_epochs=4000,
        fit_epochs=40,
        plain_target=5000,
        pinned_target=3500,
        lanes_per_core=8,
    ),
    Workload(
        name="W2",
        title="MNIST, Dense(128) x 2, batch 32",
        study={
            "dataset": "bench_images",
            "model": {"family": "mlp", "hidden_units": [128, 128]},
            "regularizers": DROPOUT,
            "training": {"epochs": UNREAD_EPOCHS, "batch_size": 32},
        },
        n_rows=12_000,
        engine_epochs=8,
        fit_epochs=2,
        plain_target=25,
        pinned_target=7,
    ),
    Workload(
        name="W3",
        title="MNIST, Dense(500) x 5, batch 128",
        study={
            "dataset": "bench_images",
            "model": {"family": "mlp", "hidden_units": [500] * 5},
            "regularizers": DROPOUT,
            "training": {"epochs": UNREAD_EPOCHS, "batch_size": 128},
        },
        n_rows=12_000,
        engine_epochs=2,
        fit_epochs=2,
        plain_target=2.6,
        pinned_target=2.3,
    ),
    Workload(
        name="W4",
        title="MNIST, Conv(16)-Conv(32)-Dense(64), batch 64",
        study={
            "dataset": "bench_images_4k",
            "model": {"family": "convnet", "filters": [16, 32], "hidden_units": [64]},
            "regularizers": DROPOUT,
            "training": {"epochs": UNREAD_EPOCHS, "batch_size": 64},
        },
        n_rows=4_000,
        engine_epochs=4,
        fit_epochs=2,
        plain_target=8,
        pinned_target=4,
    ),
    Workload(
        name="W5",
        title="MNIST rows, LSTM(64), recurrent dropout, batch 64",
        study={
            "dataset": "bench_rows_4k",
            "model": {"family": "recurrent", "cell": "lstm", "units": [64]},
            "regularizers": {"recurrent_dropout": {"rate": {"grid": [0.2, 0.4]}, "input_rate": 0.0}},
            "training": {"epochs": UNREAD_EPOCHS, "batch_size": 64},
        },
        n_rows=4_000,
        engine_epochs=6,
        fit_epochs=2,
        plain_target=6,
        pinned_target=4,
    ),
)

WORKLOADS = {workload.name: workload for workload in _ALL}


def study_of(workload: Workload) -> StudySpec:
    """The study whose trials are measured."""
    common = {"name": workload.name, "search": {"sampler": "grid"}, "evaluation": {"protocol": "as_published"}}
    return StudySpec.model_validate(
        common | workload.study | {"budget": {"replicates": max(1, workload.lanes_per_core // 2)}}
    )


def cohort_of(workload: Workload, cohort_id: str) -> Cohort:
    """A cohort as the coordinator makes it: every point of the study with every seed."""
    spec = study_of(workload)
    queued = [
        QueuedReplicate(replicate_id=1000 * number + seed, trial_number=number, seed=seed, point=point)
        for number, point in enumerate(grid_points(spec))
        for seed in range(spec.budget.replicates)
    ]
    size = CohortSize(target=workload.lanes_per_core)
    (cohort,) = group("benchmark", spec, queued, size=size, prefix=cohort_id)
    return cohort


def data_folder() -> Path | None:
    """The datasets of the data directory, where there is one."""
    named = os.environ.get("REGTUNE_DATA_DIR")
    return Path(named) / "datasets" if named else None


def write_data(source: Path | None, folder: Path) -> str:
    """Writes the datasets that the workloads name.

    Args:
        source: A folder with `mnist.npz`; None or a folder without: the packaged 5,000 images, repeated.
        folder: Where to write.

    Returns:
        What was written, for people.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n_most = max(workload.n_rows for workload in _ALL)
    from_file = source is not None and (source / "mnist.npz").is_file()
    parts = _from_file(source / "mnist.npz") if source is not None and from_file else _packaged()
    x_train, y_train, x_test, y_test = parts
    rows, test_rows = np.resize(np.arange(len(y_train)), n_most), np.resize(np.arange(len(y_test)), N_VALIDATION)
    for name, n_rows, shape in _variants():
        np.savez(
            folder / f"{name}.npz",
            x_train=x_train[rows[:n_rows]].reshape(-1, *shape),
            y_train=y_train[rows[:n_rows]],
            x_test=x_test[test_rows].reshape(-1, *shape),
            y_test=y_test[test_rows],
        )
    return "mnist.npz" if from_file else "the 5,000 packaged images, repeated"


def _variants() -> Iterator[tuple[str, int, tuple[int, ...]]]:
    yield "bench_images", 12_000, (28, 28, 1)
    yield "bench_images_4k", 4_000, (28, 28, 1)
    yield "bench_rows_4k", 4_000, (28, 28)


def _from_file(path: Path) -> tuple[npt.NDArray[Any], ...]:
    with np.load(path, allow_pickle=False) as arrays:
        return tuple(arrays[key] for key in ("x_train", "y_train", "x_test", "y_test"))


def _packaged() -> tuple[npt.NDArray[Any], ...]:
    from search_spaces.datasets import NamedRef
    from trials.datasets.mnist_5k import load_mnist_5k

    raw = load_mnist_5k(NamedRef(name="mnist_5k"), Path())
    return raw.x_train, raw.y_train, raw.x_test, raw.y_test
