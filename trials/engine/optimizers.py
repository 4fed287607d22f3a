"""Keras optimizers from their closed descriptions, as pure functions of their state."""

from typing import Any

import keras

from search_spaces.optimizers import Cosine, Exponential, Optimizer, Piecewise
from trials.engine.backends import current_backend

KINDS: dict[str, type[keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "lion": keras.optimizers.Lion,
}


def build_optimizer(asked: Optimizer, epochs: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """An optimizer that offers `stateless_apply`; not yet built.

    Args:
        asked: The description.
        epochs: Epochs of the whole training.
        steps_per_epoch: Steps in one of them, a last batch of fewer rows included.
    """
    options: dict[str, Any] = {"learning_rate": learning_rate(asked, epochs, steps_per_epoch)}
    if asked.name in ("sgd", "rmsprop"):
        options["momentum"] = asked.momentum
    if asked.name == "sgd":
        options["nesterov"] = asked.nesterov
    if asked.weight_decay is not None:
        options["weight_decay"] = asked.weight_decay
    return current_backend().pure_optimizer(KINDS[asked.name], **options)


def learning_rate(asked: Optimizer, epochs: int, steps_per_epoch: int) -> Any:
    """The learning rate: a number, or Keras' schedule over the steps."""
    first, schedule = asked.learning_rate, asked.schedule
    schedules = keras.optimizers.schedules
    if isinstance(schedule, Cosine):
        n_steps = (schedule.epochs or epochs) * steps_per_epoch
        return schedules.CosineDecay(first, n_steps, alpha=schedule.final_fraction)
    if isinstance(schedule, Exponential):
        n_steps = schedule.every_epochs * steps_per_epoch
        return schedules.ExponentialDecay(first, n_steps, schedule.rate, staircase=schedule.staircase)
    if isinstance(schedule, Piecewise):
        # Keras' boundaries are the last steps of a piece, and steps are counted from 0
        boundaries = [epoch * steps_per_epoch - 1 for epoch in schedule.epochs]
        return schedules.PiecewiseConstantDecay(boundaries, [first, *(first * factor for factor in schedule.factors)])
    return first
