"""A child process that runs stock Keras `fit` when told to: one JSON request per line in, one answer per line out.

Nothing of the engine is used here, only its data: models are built from stock layers, as a user would write them.
"""

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from benchmarks.fit_data import FitData, fit_data
from benchmarks.fit_models import MODELS, flops
from benchmarks.workloads import WORKLOADS, study_of

RATE = 0.2
VALIDATION_ROWS = 500
"""Rows that gathered pipelines evaluate at once; plain `fit` takes the training batch."""


Source: TypeAlias = Literal["arrays", "slices", "gathered"]
SOURCES: tuple[Source, ...] = ("arrays", "slices", "gathered")


@dataclass(frozen=True)
class FitVariant:
    """One way of calling `fit`.

    Attributes:
        backend: Keras' backend.
        pinned: One process per core at once, each pinned with one thread, instead of one process on all cores.
        source: `arrays`; `slices`, the textbook's tf.data pipeline with autotuning off; or `gathered`, the same
            with batches gathered by row numbers and larger validation batches.
        jit_compile: As in `Model.compile`.
        steps_per_execution: As in `Model.compile`.
    """

    backend: str = "tensorflow"
    pinned: bool = False
    source: Source = "arrays"
    jit_compile: bool | str = "auto"
    steps_per_execution: int = 1

    @property
    def title(self) -> str:
        """For people."""
        where = "pinned processes" if self.pinned else "one process"
        options = f"jit_compile={self.jit_compile}, steps_per_execution={self.steps_per_execution}"
        return f"{self.backend}, {where}, {self.source}, {options}"


PLAIN = FitVariant()
"""What most people write."""


YARDSTICK = FitVariant(pinned=True, source="slices")
"""What people write who have read about tf.data and have as many models to train as cores: what the targets mean."""


def _pinned(source: Source, jit_compile: bool | str, steps: int) -> FitVariant:
    return FitVariant("tensorflow", True, source, jit_compile, steps)


SHORTLIST = (
    YARDSTICK,
    _pinned("gathered", True, 32),
    _pinned("gathered", False, 32),
    _pinned("gathered", False, 1),
    _pinned("arrays", "auto", 1),
    FitVariant(source="gathered", jit_compile=False, steps_per_execution=32),
    FitVariant(backend="jax", pinned=True),
    FitVariant(backend="jax", pinned=True, steps_per_execution=32),
)
"""What has ever come near the strongest on one of the workloads."""

EVERY = (
    YARDSTICK,
    *(
        FitVariant(backend, pinned, source, jit_compile, steps)
        for backend, pinned, source, jit_compile, steps in itertools.product(
            ("tensorflow", "jax"), (False, True), SOURCES, (False, True), (1, 32)
        )
        if backend == "tensorflow" or jit_compile
    ),
)
"""Without a GPU, Keras takes `jit_compile="auto"` for False on TensorFlow; on JAX nothing else makes sense."""


def main() -> None:
    """Serves requests until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--datasets-dir", type=Path, required=True)
    parser.add_argument("--core", type=int, help="the core to stay on, with one thread")
    asked = parser.parse_args()
    if asked.core is not None:
        os.sched_setaffinity(0, {asked.core})
        limit_threads()
    spec = study_of(WORKLOADS[asked.workload])
    data = fit_data(spec, asked.datasets_dir)
    batch_size = spec.training.batch_size
    n_flops = flops(MODELS[asked.workload](RATE), len(data.y_train), len(data.y_validation))
    print(json.dumps({"flops": n_flops}), flush=True)
    fits: dict[FitVariant, Callable[[int], None]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        variant = FitVariant(**request["variant"])
        if variant not in fits:
            fits[variant] = make_fit(MODELS[asked.workload](RATE), data, batch_size, variant)
        started, cpu = time.perf_counter(), time.process_time()
        fits[variant](request["epochs"])
        answer = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps(answer), flush=True)


def limit_threads() -> None:
    """One thread, as two processes on two cores have nothing to gain from more."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def make_fit(model: Any, data: FitData, batch_size: int, variant: FitVariant) -> Callable[[int], None]:
    """A function that trains so many epochs more, with validation after each."""
    compile_model(model, data.n_classes, variant)
    x, y, x_validation, y_validation = data.x_train, data.y_train, data.x_validation, data.y_validation
    train: dict[str, Any] = {"x": x, "y": y, "batch_size": batch_size}
    validation: Any = (x_validation, y_validation)
    if variant.source == "slices":
        train = {"x": slices(x, y, batch_size, shuffle=True)}
        validation = slices(x_validation, y_validation, batch_size, shuffle=False)
    elif variant.source == "gathered":
        train = {"x": gathered(x, y, batch_size, shuffle=True)}
        validation = gathered(x_validation, y_validation, VALIDATION_ROWS, shuffle=False).cache()

    def fit(epochs: int) -> None:
        model.fit(**train, epochs=epochs, validation_data=validation, verbose=0)

    return fit


def compile_model(model: Any, n_classes: int, variant: FitVariant) -> None:
    """Adam, cross-entropy from logits, and accuracy: what the studies ask for."""
    import keras

    loss = keras.losses.BinaryCrossentropy if n_classes == 2 else keras.losses.SparseCategoricalCrossentropy
    model.compile(
        keras.optimizers.Adam(),
        loss(from_logits=True),
        metrics=["accuracy"],
        jit_compile=variant.jit_compile,
        steps_per_execution=variant.steps_per_execution,
    )


def slices(x: Any, y: Any, batch_size: int, *, shuffle: bool) -> Any:
    """The pipeline of the textbooks: rows, shuffled one by one, in batches."""
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices((x, y)).cache()
    if shuffle:
        rows = rows.shuffle(len(y))
    return _untuned(rows.batch(batch_size))


def gathered(x: Any, y: Any, batch_size: int, *, shuffle: bool) -> Any:
    """Batches gathered by shuffled row numbers: rows are never handled one by one."""
    import tensorflow as tf

    features, labels = tf.constant(x), tf.constant(y)
    rows = tf.data.Dataset.range(len(y)).cache()
    if shuffle:
        rows = rows.shuffle(len(y))

    def gather(numbers: Any) -> tuple[Any, Any]:
        return tf.gather(features, numbers), tf.gather(labels, numbers)

    return _untuned(rows.batch(batch_size).map(gather))


def _untuned(batches: Any) -> Any:
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(2).with_options(options)


if __name__ == "__main__":
    main()
