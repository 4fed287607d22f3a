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
from typing import Any

from benchmarks.workloads import WORKLOADS, study_of

RATE = 0.4
RECURRENT_RATE = 0.2
VALIDATION_ROWS = 500
"""Rows that the strong pipeline evaluates at once; plain `fit` takes the training batch."""


@dataclass(frozen=True)
class FitVariant:
    """One way of calling `fit`.

    Attributes:
        pinned: One process per core at once, each pinned with one thread, instead of one process on all cores.
        pipeline: tf.data without autotuning, cached and prefetched, instead of arrays.
        jit_compile: As in `Model.compile`.
        steps_per_execution: As in `Model.compile`.
    """

    pinned: bool = False
    pipeline: bool = False
    jit_compile: bool | str = "auto"
    steps_per_execution: int = 1

    @property
    def title(self) -> str:
        """For people."""
        where = "pinned processes" if self.pinned else "one process"
        source = "tf.data" if self.pipeline else "arrays"
        return f"{where}, {source}, jit_compile={self.jit_compile}, steps_per_execution={self.steps_per_execution}"


PLAIN = FitVariant()
"""What most people write."""


def candidates(*, quick: bool) -> tuple[FitVariant, ...]:
    """What is tried for the strongest `fit`. Without a GPU Keras takes `jit_compile="auto"` for False."""
    options = itertools.product((False, True), (False, True), (1, 32))
    every = tuple(
        FitVariant(pinned=pinned, pipeline=True, jit_compile=jit_compile, steps_per_execution=steps)
        for pinned, jit_compile, steps in options
    )
    return every[-1:] if quick else every


def main() -> None:
    """Serves requests until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--datasets-dir", type=Path, required=True)
    parser.add_argument("--core", type=int, help="the core to stay on, with one thread")
    asked = parser.parse_args()
    if asked.core is not None:
        os.sched_setaffinity(0, {asked.core})
    from trials.datasets import load
    from trials.preprocessing import prepare

    if asked.core is not None:
        limit_threads()
    spec = study_of(WORKLOADS[asked.workload])
    data = prepare(load(spec.dataset, asked.datasets_dir), spec.preprocessing, spec.evaluation, 0)
    batch_size = spec.training.batch_size
    print(json.dumps({"flops": flops(MODELS[asked.workload](), len(data.y_train), len(data.y_validation))}), flush=True)
    fits: dict[FitVariant, Callable[[int], None]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        variant = FitVariant(**request["variant"])
        if variant not in fits:
            fits[variant] = make_fit(MODELS[asked.workload](), data, batch_size, variant)
        started, cpu = time.perf_counter(), time.process_time()
        fits[variant](request["epochs"])
        answer = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps(answer), flush=True)


def limit_threads() -> None:
    """One thread, as two processes on two cores have nothing to gain from more."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def make_fit(model: Any, data: Any, batch_size: int, variant: FitVariant) -> Callable[[int], None]:
    """A function that trains so many epochs more, with validation after each."""
    import keras

    binary = data.n_classes == 2
    loss = keras.losses.BinaryCrossentropy if binary else keras.losses.SparseCategoricalCrossentropy
    model.compile(
        keras.optimizers.Adam(),
        loss(from_logits=True),
        metrics=["accuracy"],
        jit_compile=variant.jit_compile,
        steps_per_execution=variant.steps_per_execution,
    )
    train: dict[str, Any] = {"x": data.x_train, "y": data.y_train, "batch_size": batch_size}
    validation: Any = (data.x_validation, data.y_validation)
    if variant.pipeline:
        train = {"x": pipeline(data.x_train, data.y_train, batch_size, shuffle=True)}
        validation = pipeline(data.x_validation, data.y_validation, VALIDATION_ROWS, shuffle=False).cache()

    def fit(epochs: int) -> None:
        model.fit(**train, epochs=epochs, validation_data=validation, verbose=0)

    return fit


def pipeline(x: Any, y: Any, batch_size: int, *, shuffle: bool) -> Any:
    """Batches gathered by shuffled row numbers: rows are never handled one by one, and nothing is tuned meanwhile."""
    import tensorflow as tf

    features, labels = tf.constant(x), tf.constant(y)
    rows = tf.data.Dataset.range(len(y)).cache()
    if shuffle:
        rows = rows.shuffle(len(y))

    def gather(numbers: Any) -> tuple[Any, Any]:
        return tf.gather(features, numbers), tf.gather(labels, numbers)

    options = tf.data.Options()
    options.autotune.enabled = False
    return rows.batch(batch_size).map(gather).prefetch(2).with_options(options)


def circles() -> Any:
    """W1."""
    from keras import Sequential, layers

    return Sequential([layers.Input((2,)), layers.Dense(500, activation="relu"), layers.Dropout(RATE), layers.Dense(1)])


def mlp(units: int, depth: int) -> Any:
    """W2 and W3."""
    from keras import Sequential, layers

    model = Sequential([layers.Input((28, 28, 1)), layers.Flatten()])
    for _ in range(depth):
        model.add(layers.Dense(units, activation="relu"))
        model.add(layers.Dropout(RATE))
    model.add(layers.Dense(10))
    return model


def convnet() -> Any:
    """W4."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(RATE),
            layers.Dense(10),
        ]
    )


def lstm() -> Any:
    """W5."""
    from keras import Sequential, layers

    return Sequential([layers.Input((28, 28)), layers.LSTM(64, recurrent_dropout=RECURRENT_RATE), layers.Dense(10)])


MODELS: dict[str, Callable[[], Any]] = {
    "W1": circles,
    "W2": lambda: mlp(128, 2),
    "W3": lambda: mlp(500, 5),
    "W4": convnet,
    "W5": lstm,
}


def flops(model: Any, n_train: int, n_validation: int) -> float:
    """Floating-point operations of the matrix products of one epoch with its validation.

    A training row costs its forward pass three times (forward, gradient of inputs, gradient of weights), less the
    gradient of the model's own inputs, which nobody needs. Elementwise work and the optimizer are left out.
    """
    weighted = [(layer, products(layer)) for layer in model.layers if layer.weights]
    forward = sum(sum(parts) for _, parts in weighted)
    into_inputs = weighted[0][1][0]
    return n_train * (3.0 * forward - into_inputs) + n_validation * forward


def products(layer: Any) -> tuple[float, ...]:
    """Operations of a layer's matrix products for one row: those on its inputs first, then those on its own state."""
    outputs = 1.0
    for size in layer.output.shape[1:]:
        outputs *= size
    if hasattr(layer, "cell"):
        n_steps, n_inputs = layer.input.shape[1:]
        gates = layer.cell.kernel.shape[-1]
        return 2.0 * n_steps * n_inputs * gates, 2.0 * n_steps * layer.units * gates
    fan_in = 1.0
    for size in layer.kernel.shape[:-1]:
        fan_in *= size
    return (2.0 * fan_in * outputs,)


if __name__ == "__main__":
    main()
