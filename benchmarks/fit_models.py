"""The workloads' models from stock Keras layers, as a user would write them, and their arithmetic.

Importing this does not import Keras.
"""

from collections.abc import Callable
from typing import Any


def circles(rate: float) -> Any:
    """W1."""
    from keras import Sequential, layers

    return Sequential([layers.Input((2,)), layers.Dense(500, activation="relu"), layers.Dropout(rate), layers.Dense(1)])


def mlp(units: int, depth: int, rate: float) -> Any:
    """W2 and W3."""
    from keras import Sequential, layers

    model = Sequential([layers.Input((28, 28, 1)), layers.Flatten()])
    for _ in range(depth):
        model.add(layers.Dense(units, activation="relu"))
        model.add(layers.Dropout(rate))
    model.add(layers.Dense(10))
    return model


def convnet(rate: float) -> Any:
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
            layers.Dropout(rate),
            layers.Dense(10),
        ]
    )


def lstm(rate: float) -> Any:
    """W5."""
    from keras import Sequential, layers

    return Sequential([layers.Input((28, 28)), layers.LSTM(64, recurrent_dropout=rate), layers.Dense(10)])


MODELS: dict[str, Callable[[float], Any]] = {
    "W1": circles,
    "W2": lambda rate: mlp(128, 2, rate),
    "W3": lambda rate: mlp(500, 5, rate),
    "W4": convnet,
    "W5": lstm,
}
"""By the workload's name; each takes the dropout rate."""


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
