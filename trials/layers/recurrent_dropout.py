"""Recurrent dropout by the lane's key: one mask per sequence and gate."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from trials.engine.lane_scope import current_lane, is_sampling
from trials.engine.random_bits import Key, uniform

RECURRENT = (keras.layers.LSTM, keras.layers.GRU)

ANY_RATE = 0.5
"""What a cell is told while the masks are the lane's: the masks hold the real rate."""


class LaneRecurrentDropout(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A recurrent layer with dropout on its inputs and on its state, at rates that are knobs of the lane.

    In training each gate sees inputs and state through masks of its own that stay the same at all steps of a sequence,
    as in Keras' `LSTM(dropout=…, recurrent_dropout=…)`; elements are zeroed with probability rate and the others
    divided by 1 - rate. A rate of 0 is exactly the identity. In inference it is the layer, unless predictions are being
    sampled.

    Args:
        inner: An LSTM, a GRU, or a Bidirectional of one of them.
        stream: Word that keeps this layer's draws apart from those of all others in the model; one per cell is used.

    References:
        Gal and Ghahramani, 2016, A theoretically grounded application of dropout in recurrent neural networks,
        NeurIPS 29.
    """

    def __init__(self, inner: keras.layers.Layer, stream: int) -> None:
        super().__init__(name=f"{inner.name}_recurrent_dropout")
        self.inner = inner
        self.stream = stream
        self.supports_masking = True
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """As the inner layer's."""
        if not training and not is_sampling():
            return self.inner(sequences, initial_state=initial_state, mask=mask, training=False)
        with self._masked_cells(sequences):
            return self.inner(sequences, initial_state=initial_state, mask=mask, training=True)

    def masks(self, cell_number: int, sequences: Any) -> tuple[Any, Any]:
        """Masks of one cell for a batch of sequences: `(n_gates, batch, n_inputs)` and `(n_gates, batch, units)`."""
        lane, cell = current_lane(), cells(self.inner)[cell_number]
        n_gates, batch_size = cell.kernel.shape[1] // cell.units, ops.shape(sequences)[0]

        def mask(knob: str, key: Key, width: int) -> Any:
            rate = ops.cast(lane.knobs[f"recurrent_dropout.{knob}"], sequences.dtype)
            draws = ops.cast(uniform(key, (n_gates, batch_size, width)), sequences.dtype)
            return ops.where(draws >= rate, 1.0 / (1.0 - rate), ops.zeros_like(draws))

        stream = self.stream + 2 * cell_number
        return (
            mask("input_rate", lane.next_key(stream), sequences.shape[-1]),
            mask("rate", lane.next_key(stream + 1), cell.units),
        )

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:  # Keras' names
        """The inner layer's."""
        return self.inner.compute_output_shape(sequences_shape, initial_state_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The inner layer's."""
        return self.inner.compute_mask(inputs, previous_mask)

    @contextmanager
    def _masked_cells(self, sequences: Any) -> Iterator[None]:
        inner_cells = cells(self.inner)
        kept = [(cell.dropout, cell.recurrent_dropout, cell.implementation) for cell in inner_cells]
        for number, cell in enumerate(inner_cells):
            inputs, state = self.masks(number, sequences)
            cell.dropout, cell.recurrent_dropout, cell.implementation = ANY_RATE, ANY_RATE, 1
            cell._dropout_mask = [inputs[gate] for gate in range(inputs.shape[0])]  # noqa: SLF001  # no public way
            cell._recurrent_dropout_mask = [state[gate] for gate in range(state.shape[0])]  # noqa: SLF001  # no public way
        try:
            yield
        finally:
            for cell, values in zip(inner_cells, kept, strict=True):
                cell.dropout, cell.recurrent_dropout, cell.implementation = values
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()


def is_recurrent(layer: keras.layers.Layer) -> bool:
    """Whether recurrent dropout can act on this layer."""
    layers = [layer.forward_layer, layer.backward_layer] if isinstance(layer, keras.layers.Bidirectional) else [layer]
    return all(isinstance(one, RECURRENT) for one in layers)


def cells(layer: keras.layers.Layer) -> list[Any]:
    """The cells of a recurrent layer; forward and backward for a Bidirectional."""
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer.cell, layer.backward_layer.cell]
    return [layer.cell]
