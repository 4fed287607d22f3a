"""What every program has to do: each rate with each seed for so many epochs, selected on validation, read on test."""

import argparse
import json
import os
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from search_spaces.spec import StudySpec


@dataclass(frozen=True, kw_only=True)
class Task:
    """A grid of dropout rates on one model.

    Attributes:
        model: Its name in `benchmarks.fit_process.MODELS`.
    """

    name: str
    title: str
    study: dict[str, Any]
    model: str
    rates: tuple[float, ...]
    n_seeds: int
    epochs: int

    @property
    def spec(self) -> StudySpec:
        """The task as a study."""
        training = {"epochs": self.epochs, **self.study["training"]}
        return StudySpec.model_validate(
            self.study
            | {
                "name": self.name,
                "regularizers": {"dropout": {"rate": {"grid": list(self.rates)}}},
                "training": training,
                "search": {"sampler": "grid"},
                "budget": {"replicates": self.n_seeds},
            }
        )

    @property
    def trainings(self) -> list[tuple[float, int]]:
        """Every rate with every seed."""
        return [(rate, seed) for rate in self.rates for seed in range(self.n_seeds)]


_ALL = (
    Task(
        name="circles",
        title="circles, Dense(500), full batch",
        study={
            "dataset": "circles",
            "model": {"family": "mlp", "hidden_units": [500]},
            "preprocessing": "none",
            "training": {"batch_size": 32},
        },
        model="W1",
        rates=(0.0, 0.1, 0.2, 0.3, 0.4),
        n_seeds=3,
        epochs=200,
    ),
    Task(
        name="mnist",
        title="mnist_5k, Dense(128) x 2, batch 32",
        study={
            "dataset": "mnist_5k",
            "model": {"family": "mlp", "hidden_units": [128, 128]},
            "training": {"batch_size": 32},
        },
        model="W2",
        rates=(0.0, 0.2, 0.4, 0.6),
        n_seeds=3,
        epochs=10,
    ),
)

TASKS = {task.name: task for task in _ALL}


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One training that was done."""

    rate: float
    seed: int
    epochs: int
    test_accuracy: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was done, so that it can be seen that all did the same."""

    n_rates: int
    n_trainings: int
    n_epochs: int
    mean_test_accuracy: float
    best_rate_test_accuracy: float


def outcome_of(trainings: Iterable[Trained]) -> Outcome:
    """Sums up."""
    done = list(trainings)
    by_rate: dict[float, list[float]] = {}
    for training in done:
        by_rate.setdefault(training.rate, []).append(training.test_accuracy)
    return Outcome(
        n_rates=len(by_rate),
        n_trainings=len(done),
        n_epochs=sum(training.epochs for training in done),
        mean_test_accuracy=statistics.fmean(training.test_accuracy for training in done),
        best_rate_test_accuracy=max(statistics.fmean(accuracies) for accuracies in by_rate.values()),
    )


def say(outcome: Outcome) -> None:
    """Prints the outcome for the parent, as the last line."""
    print(json.dumps(asdict(outcome)), flush=True)


def parse(program: str | None) -> tuple[Task, Path]:
    """The task and the folder to work in, from the command line."""
    parser = argparse.ArgumentParser(description=program)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--epochs", type=int)
    asked = parser.parse_args()
    task = TASKS[asked.task]
    return replace(task, n_seeds=asked.seeds or task.n_seeds, epochs=asked.epochs or task.epochs), asked.folder


def n_workers() -> int:
    """One per core."""
    return len(os.sched_getaffinity(0))


def single_threaded() -> dict[str, str]:
    """Environment of a worker that has one core."""
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return dict(os.environ) | dict.fromkeys(names, "1")
