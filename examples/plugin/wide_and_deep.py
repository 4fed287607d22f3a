"""A model for regtune: a linear model and a deep one on the same features, added up."""

import keras
from keras import layers


def build(input_shape: tuple[int, ...], n_classes: int, units: int = 32, depth: int = 2) -> keras.Model:
    """Builds the model.

    Args:
        input_shape: Shape of one example.
        n_classes: Two or more.
        units: Width of the deep part.
        depth: Its number of hidden layers.

    Returns:
        A model that gives logits, one for two classes and else one per class, without activation. It has no dropout or
        penalties of its own: regtune finds the hidden layers, and puts there what a study asks for.
    """
    n_logits = 1 if n_classes == 2 else n_classes
    inputs = keras.Input(input_shape)
    features = layers.Flatten()(inputs)
    x = features
    for number in range(1, depth + 1):
        x = layers.Dense(units, activation="relu", name=f"deep_{number}")(x)
    return keras.Model(inputs, layers.Dense(n_logits, name="logits")(layers.Concatenate()([features, x])))
