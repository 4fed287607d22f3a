"""Dense hidden layers, then logits."""

import keras

from search_spaces.models import MLP
from trials.models.head import finish


def build_mlp(spec: MLP, input_shape: tuple[int, ...], n_outputs: int) -> keras.Model:
    """Builds the network; inputs of more than one axis are flattened first.

    Args:
        spec: The description.
        input_shape: Shape of one example.
        n_outputs: Width of the last layer, which has no activation.
    """
    inputs = keras.Input(input_shape, name="inputs")
    features = keras.layers.Flatten(name="flatten")(inputs) if len(input_shape) > 1 else inputs
    return finish(inputs, features, spec.hidden_units, spec.activation, n_outputs)
