"""Speed of the lanes engine against `model.fit`, per lane-epoch, interleaved on this machine.

Run `python -m benchmarks.engine` (or `make bench`). Each round times, one after the other, plain `fit` (one model, all
cores) and the engine (one pinned process per core, the product's own path: cohort → grafting → program). The figure
is wall-clock seconds per lane-epoch of the whole machine; compilation and the first epoch are left out on both sides.
Both sides do validation after each epoch; the engine also reads train and test data at its schedule, `fit` does not.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Workload:
    """One model on one dataset."""

    title: str
    study: dict[str, Any]
    fit_epochs: int
    target: float
    lanes_per_process: int = 4


WORKLOADS = {
    "circles": Workload(
        "circles, Dense(500), full batch",
        {
            "dataset": "circles",
            "model": {"family": "mlp", "hidden_units": [500]},
            "preprocessing": "none",
            "evaluation": {"protocol": "as_published"},
            "training": {"epochs": 4000, "batch_size": 32},
        },
        fit_epochs=60,
        target=500,
    ),
    "mlp": Workload(
        "mnist_5k, Dense(128) x 2, batch 32",
        {
            "dataset": "mnist_5k",
            "model": {"family": "mlp", "hidden_units": [128, 128]},
            "training": {"epochs": 20, "batch_size": 32},
        },
        fit_epochs=5,
        target=8,
    ),
    "convnet": Workload(
        "mnist_5k, Conv(16)-Conv(32)-Dense(64), batch 64",
        {
            "dataset": "mnist_5k",
            "model": {"family": "convnet", "filters": [16, 32], "hidden_units": [64]},
            "training": {"epochs": 20, "batch_size": 64},
        },
        fit_epochs=3,
        target=1.5,
        lanes_per_process=1,
    ),
}


def make_cohort(name: str) -> Any:
    """A cohort of the workload, half of its lanes with dropout."""
    from search_spaces.spec import StudySpec
    from trials.protocol import Cohort, Lane, Reader

    spec = StudySpec.model_validate(
        {"name": name, "search": {"sampler": "grid"}, "regularizers": {"dropout": {"rate": 0.2}}}
        | WORKLOADS[name].study
    )
    lanes = [
        Lane(lane_id=i, seed=i, settings={"dropout.rate": 0.4 * ((i + 1) % 2)}, readers=(Reader(replicate_id=i),))
        for i in range(WORKLOADS[name].lanes_per_process)
    ]
    return Cohort(
        cohort_id=name,
        study_id="benchmark",
        dataset=spec.dataset,
        model=spec.model,
        preprocessing=spec.preprocessing,
        evaluation=spec.evaluation,
        training=spec.training,
        grafts=("dropout",),
        lanes=tuple(lanes),
    )


def serve_engine(name: str, core: int, directory: str) -> None:
    """A trainer: on each line of standard input trains the cohort once more and says seconds per lane-epoch."""
    os.sched_setaffinity(0, {core})
    from trials.engine.backends import current_backend

    current_backend().limit_threads()
    from trials.protocol import Verdicts
    from trials.train import train

    cohort = make_cohort(name)

    def once() -> tuple[float, int]:
        training, seconds, epochs = train(cohort, Path(directory)), 0.0, 0
        try:
            report = next(training)
            while True:
                seconds += report.seconds
                epochs = sum(lane.n_epochs for lane in report.lanes)
                report = training.send(Verdicts(cohort_id=cohort.cohort_id))
        except StopIteration:
            return seconds, epochs

    once()
    print("ready", flush=True)
    for _ in sys.stdin:
        seconds, epochs = once()
        print(seconds / epochs, flush=True)


def serve_fit(name: str, directory: str) -> None:
    """Plain Keras: on each line of standard input runs `fit` once more and says seconds per epoch."""
    import keras

    from trials.datasets import load
    from trials.models import build
    from trials.preprocessing import prepare

    cohort = make_cohort(name)
    data = prepare(load(cohort.dataset, Path(directory)), cohort.preprocessing, cohort.evaluation, 0)
    base = build(cohort.model, data.x_train.shape[1:], data.n_classes)
    x = inputs = keras.Input(data.x_train.shape[1:])
    for layer in base.layers[1:]:
        x = layer(x)
        if layer.name.startswith("hidden"):
            x = keras.layers.Dropout(0.4)(x)
    model = keras.Model(inputs, x)
    binary = data.n_classes == 2
    loss = keras.losses.BinaryCrossentropy if binary else keras.losses.SparseCategoricalCrossentropy
    model.compile("adam", loss(from_logits=True), metrics=["accuracy"])

    def once(epochs: int) -> float:
        started = time.perf_counter()
        model.fit(
            data.x_train,
            data.y_train,
            batch_size=cohort.training.batch_size,
            epochs=epochs,
            validation_data=(data.x_validation, data.y_validation),
            verbose=0,
        )
        return (time.perf_counter() - started) / epochs

    once(1)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(once(WORKLOADS[name].fit_epochs), flush=True)


class Contestant:
    """A child process that measures when told to."""

    def __init__(self, *arguments: str) -> None:
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.engine", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=REPOSITORY,
            env=environment,
        )
        self.to_child = cast(IO[str], self.process.stdin)
        self.from_child = cast(IO[str], self.process.stdout)
        self.read()

    def start(self) -> None:
        """Tells it to measure once."""
        self.to_child.write("go\n")
        self.to_child.flush()

    def read(self) -> str:
        """Its next line."""
        line = self.from_child.readline().strip()
        if not line:
            msg = f"benchmark process ended: {self.process.args!r}"
            raise RuntimeError(msg)
        return line

    def close(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait()


def measure(name: str, rounds: int, directory: str) -> dict[str, Any]:
    """Seconds per lane-epoch of both sides, round by round."""
    cores = sorted(os.sched_getaffinity(0))
    plain = Contestant("--serve-fit", name, "--directory", directory)
    engines = [Contestant("--serve-engine", name, "--core", str(core), "--directory", directory) for core in cores]
    fit_seconds, engine_seconds = [], []
    for _ in range(rounds):
        plain.start()
        fit_seconds.append(float(plain.read()))
        for engine in engines:
            engine.start()
        per_core = [float(engine.read()) for engine in engines]
        engine_seconds.append(1.0 / sum(1.0 / seconds for seconds in per_core))
    for contestant in (plain, *engines):
        contestant.close()
    ratios = [one / other for one, other in zip(fit_seconds, engine_seconds, strict=True)]
    return {
        "workload": name,
        "title": WORKLOADS[name].title,
        "fit_ms": [1e3 * seconds for seconds in fit_seconds],
        "engine_ms": [1e3 * seconds for seconds in engine_seconds],
        "ratio": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "target": WORKLOADS[name].target,
    }


def line_of(row: dict[str, Any]) -> str:
    """One line of the table: medians, and the range of the ratio over the rounds."""
    low, high = row["ratio_range"]
    fit_ms, engine_ms = statistics.median(row["fit_ms"]), statistics.median(row["engine_ms"])
    return (
        f"{row['title']:50} {fit_ms:10.2f} {engine_ms:10.4f} {row['ratio']:8.1f} "
        f"{f'{low:.1f} - {high:.1f}':>16} {row['target']:7.1f}"
    )


def main() -> None:
    """Measures and prints a table; writes JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=WORKLOADS, nargs="*", default=list(WORKLOADS))
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--serve-engine", help=argparse.SUPPRESS)
    parser.add_argument("--serve-fit", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--directory", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve_engine:
        serve_engine(asked.serve_engine, asked.core, asked.directory)
    elif asked.serve_fit:
        serve_fit(asked.serve_fit, asked.directory)
    else:
        print(
            f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores, {asked.rounds} rounds"
        )
        print(f"{'workload':50} {'fit ms':>10} {'engine ms':>10} {'ratio':>8} {'range':>16} {'target':>7}")
        rows = []
        with tempfile.TemporaryDirectory() as directory:
            for name in asked.only:
                rows.append(measure(name, asked.rounds, directory))
                print(line_of(rows[-1]), flush=True)
        if asked.json:
            asked.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
