"""Recurrent layers, dense hidden layers, then logits."""

import keras

from search_spaces.models import Recurrent, rows_shape
from trials.models.head import finish

CELLS: dict[str, type[keras.layers.Layer]] = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def build_recurrent(spec: Recurrent, input_shape: tuple[int, ...], n_outputs: int) -> keras.Model:
    """Builds the network; all recurrent layers but the last hand on the whole sequence.

    Args:
        spec: The description.
        input_shape: Shape of one example: steps and features, an image of one channel, or steps alone with `embedding`.
        n_outputs: Width of the last layer, which has no activation.
    """
    shape = rows_shape(input_shape)
    inputs = x = keras.Input(input_shape, name="inputs")
    if shape != input_shape:
        x = keras.layers.Reshape(shape, name="rows")(x)
    if spec.embedding is not None:
        x = keras.layers.Embedding(spec.vocabulary, spec.embedding, mask_zero=True, name="embedding")(x)
    for number, units in enumerate(spec.units, start=1):
        x = _layer(spec, units, number)(x)
    return finish(inputs, x, spec.hidden_units, spec.activation, n_outputs)


def _layer(spec: Recurrent, units: int, number: int) -> keras.layers.Layer:
    name = f"{spec.cell}_{number}"
    layer = CELLS[spec.cell](units, return_sequences=number < len(spec.units), name=name)
    return keras.layers.Bidirectional(layer, name=f"{name}_both_ways") if spec.bidirectional else layer
