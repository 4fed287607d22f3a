"""One entry per regularizer: a model that has a place for it, a setting at which it acts, and Keras' own form of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import keras
import numpy as np

from search_spaces.values import Point
from tests.trials.engine.cohorts import Outcome, cohort, digits, drive, mlp
from trials.curves import Curve
from trials.engine.initial_weights import initial_weights
from trials.models import build
from trials.protocol import Lane, Reader

SEED, EPOCHS, BATCH_SIZE = 3, 4, 40
DATA = replace(digits(120, 48), x_test=digits(120, 48).x_validation, y_test=digits(120, 48).y_validation)
"""Test data that are the validation data are not evaluated again, which halves what is compiled."""

MODELS: dict[str, dict[str, Any]] = {
    "mlp": {"family": "mlp", "hidden_units": [16]},
    "convnet": {"family": "convnet", "filters": [1], "hidden_units": [], "residual": True},
    "recurrent": {"family": "recurrent", "units": [4]},
}


@dataclass(frozen=True)
class Fit:
    """What `fit` is given for the same training.

    Attributes:
        one_hot: Whether its loss wants shares of the classes for labels.
        validation_rtol: How closely validation losses agree; None where Keras adds to them what we do not.
    """

    model: Callable[[], keras.Model] = lambda: mlp(16)
    optimizer: Callable[[], keras.optimizers.Optimizer] = keras.optimizers.Adam
    loss: Callable[[], keras.losses.Loss] = lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    callbacks: Callable[[], list[keras.callbacks.Callback]] = list
    one_hot: bool = False
    validation_rtol: float | None = 1e-5

    def logged(self) -> dict[str, list[float]]:
        """What it logs from the engine's initial weights, without shuffling."""
        model = self.model()
        dense = [v for layer in model.layers if isinstance(layer, keras.layers.Dense) for v in layer.variables]
        for variable, value in zip(dense, initial_weights(mlp(16), SEED), strict=True):
            variable.assign(value)
        model.compile(self.optimizer(), self.loss(), metrics=["accuracy"], run_eagerly=True)
        y_train, y_validation = (
            np.eye(10, dtype=np.float32)[y] if self.one_hot else y for y in (DATA.y_train, DATA.y_validation)
        )
        history = model.fit(
            DATA.x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=EPOCHS,
            shuffle=False,
            validation_data=(DATA.x_validation, y_validation),
            callbacks=self.callbacks(),
            verbose=0,
        )
        logged: dict[str, list[float]] = history.history
        return logged


@dataclass(frozen=True)
class Case:
    """A regularizer at work.

    Attributes:
        on: Settings of a lane in which it acts; empty where it is a part of the program.
        model: Key of `MODELS`.
        structure_on: Structural knobs with which it acts, where it is a part of the program.
        keras: The same with Keras' own means; None where it has none, or where draws differ.
    """

    on: Point = field(default_factory=dict)
    model: str = "mlp"
    structure_on: Point = field(default_factory=dict)
    keras: Fit | None = None


def _adam_with_decay() -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.AdamW(weight_decay=2.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def hidden(**arguments: Any) -> keras.Model:
    """`mlp(16)` with a hidden layer of these arguments."""
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Dense(16, activation="relu", **arguments)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def normalized() -> keras.Model:
    """`mlp(16)` with batch normalization before the activation."""
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Dense(16)(keras.layers.Flatten()(inputs))
    x = keras.layers.Activation("relu")(keras.layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(inputs, keras.layers.Dense(10)(x))


CASES: dict[str, Case] = {
    "dropout": Case({"dropout.rate": 0.3}),
    "input_dropout": Case({"input_dropout.rate": 0.2}),
    "spatial_dropout": Case({"spatial_dropout.rate": 0.3}, model="convnet"),
    "recurrent_dropout": Case({"recurrent_dropout.rate": 0.3}, model="recurrent"),
    "gaussian_dropout": Case({"gaussian_dropout.rate": 0.3}),
    "gaussian_noise": Case({"gaussian_noise.stddev": 0.2}),
    "alpha_dropout": Case({"alpha_dropout.rate": 0.2}),
    "monte_carlo_dropout": Case(structure_on={"monte_carlo_dropout.samples": 3}),
    "l1": Case(
        {"l1.factor": 1e-3},
        keras=Fit(lambda: hidden(kernel_regularizer=keras.regularizers.L1(1e-3)), validation_rtol=None),
    ),
    "l2": Case(
        {"l2.factor": 1e-2},
        keras=Fit(lambda: hidden(kernel_regularizer=keras.regularizers.L2(1e-2)), validation_rtol=None),
    ),
    "weight_decay": Case({"weight_decay.factor": 2.0}, keras=Fit(optimizer=_adam_with_decay)),
    "max_norm": Case(
        {"max_norm.value": 0.7}, keras=Fit(lambda: hidden(kernel_constraint=keras.constraints.MaxNorm(0.7)))
    ),
    "batch_norm": Case(
        structure_on={"batch_norm.placement": "before_activation", "batch_norm.momentum": 0.9},
        # a bias before it has no gradient but that of rounding, which Adam makes into steps
        keras=Fit(normalized, validation_rtol=1e-4),
    ),
    "label_smoothing": Case(
        {"label_smoothing.factor": 0.2},
        keras=Fit(
            loss=lambda: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
            one_hot=True,
            validation_rtol=None,
        ),
    ),
    "augmentation": Case({"augmentation.policy": "shift", "augmentation.strength": 0.2}),
    "mixup": Case({"mixup.alpha": 0.4}),
    "cutmix": Case({"cutmix.alpha": 1.0}),
    "ema": Case(
        {"ema.decay": 0.8},
        keras=Fit(
            optimizer=lambda: keras.optimizers.Adam(use_ema=True, ema_momentum=0.8),
            callbacks=lambda: [keras.callbacks.SwapEMAWeights()],
        ),
    ),
    "stochastic_depth": Case({"stochastic_depth.rate": 0.5}, model="convnet"),
}

STRUCTURE_OFF: Point = {"batch_norm.placement": "none", "monte_carlo_dropout.samples": 0}
STRUCTURE_ON: Point = CASES["batch_norm"].structure_on | CASES["monte_carlo_dropout"].structure_on


@dataclass(frozen=True)
class Trained:
    """What came of a model's cohorts.

    Attributes:
        off: The curve of a lane with every regularizer in place and off.
        on: Each regularizer's name to the curve of a lane in which it alone is on, beside all the other lanes.
        alone: The same, each in a cohort of its own.
        untouched: The curve of the model without places for regularizers.
    """

    off: Curve
    on: dict[str, Curve]
    alone: dict[str, Curve]
    untouched: Curve
    compilations: int


@cache
def trained(model: str) -> Trained:
    """Trains all of them; those with places in one program."""
    grafts = tuple(name for name, case in CASES.items() if case.model == model)
    settings = {name: CASES[name].on for name in grafts if CASES[name].on}
    together = train(model, [{}, *settings.values()], grafts)
    alone = {name: train(model, [on], grafts) for name, on in settings.items()}
    ends = [outcome.finished for outcome in (together, *alone.values())]
    return Trained(
        off=together.curves[0],
        on={name: together.curves[number] for number, name in enumerate(settings, start=1)},
        alone={name: outcome.curves[0] for name, outcome in alone.items()},
        untouched=train(model, [{}], ()).curves[0],
        compilations=sum(end.compilations for end in ends if end is not None),
    )


def train(model: str, settings: list[Point], grafts: tuple[str, ...], structure: Point | None = None) -> Outcome:
    """A lane for each of the settings, in the order of the data."""
    lanes = [
        Lane(lane_id=number, seed=SEED, settings=values, readers=(Reader(replicate_id=number),))
        for number, values in enumerate(settings)
    ]
    asked = cohort(
        lanes,
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        shuffle=False,
        model=MODELS[model],
        grafts=grafts,
        structure=STRUCTURE_OFF if structure is None else structure,
    )
    return drive(asked, DATA, build(asked.model, DATA.input_shape, DATA.n_classes))
