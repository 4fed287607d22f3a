"""What every model family ends with."""

import keras


def finish(
    inputs: keras.KerasTensor,
    features: keras.KerasTensor,
    hidden_units: tuple[int, ...],
    activation: str,
    n_outputs: int,
) -> keras.Model:
    """Puts dense hidden layers `hidden_1`, ... and `logits`, which have no activation, on flat features."""
    x = features
    for number, units in enumerate(hidden_units, start=1):
        x = keras.layers.Dense(units, activation=activation, name=f"hidden_{number}")(x)
    return keras.Model(inputs, keras.layers.Dense(n_outputs, name="logits")(x))
