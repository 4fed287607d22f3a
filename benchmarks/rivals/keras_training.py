"""One training with stock Keras, for the programs that have no engine of their own."""

from functools import lru_cache
from pathlib import Path

from benchmarks.fit_data import FitData, fit_data
from benchmarks.fit_models import MODELS
from benchmarks.fit_process import PLAIN, FitVariant, make_fit
from benchmarks.rivals.task import TASKS, Task, Trained

STRONG = FitVariant(source="gathered", jit_compile=False, steps_per_execution=32)
"""Compiling each of these short trainings would cost more than it gains."""


@lru_cache(maxsize=1)
def data_of(task_name: str) -> FitData:
    """The task's data, split and scaled as the study's."""
    return fit_data(TASKS[task_name].spec, Path())


def train_once(task: Task, rate: float, seed: int, *, strong: bool = False) -> tuple[Trained, float]:
    """Trains one model with validation after each epoch, and reads it on test data.

    Returns:
        What was done, and the last validation accuracy.
    """
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    data, model = data_of(task.name), MODELS[task.model](rate)
    fit = make_fit(model, data, task.spec.training.batch_size, STRONG if strong else PLAIN)
    fit(task.epochs)
    return Trained(
        rate=rate,
        seed=seed,
        epochs=len(model.history.epoch),
        test_accuracy=float(model.evaluate(data.x_test, data.y_test, verbose=0)[1]),
    ), float(model.history.history["val_accuracy"][-1])
