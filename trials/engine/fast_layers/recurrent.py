"""LSTM, GRU and Bidirectional with gradients written by hand."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from trials.engine.backends import current_backend
from trials.engine.backends.base import Tensor
from trials.engine.fast_layers.gru import gru_backward, gru_forward
from trials.engine.fast_layers.lstm import lstm_backward, lstm_forward
from trials.engine.fast_layers.time_loop import Masks, Steps, Upstream
from trials.engine.lane_scope import is_sampling
from trials.layers.recurrent_dropout import LaneRecurrentDropout


class Form(NamedTuple):
    """The two ways through a sequence."""

    forward: Callable[..., tuple[Tensor, Tensor, list[Tensor]]]
    backward: Callable[..., tuple[Tensor, list[Tensor]]]


FORMS = {
    keras.layers.LSTM: Form(lstm_forward, lstm_backward),
    keras.layers.GRU: Form(gru_forward, gru_backward),
}

MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda one, other: ops.concatenate([one, other], axis=-1),
    "sum": lambda one, other: one + other,
    "ave": lambda one, other: (one + other) / 2,
    "mul": lambda one, other: one * other,
}


def fast_recurrent(layer: keras.layers.Layer) -> keras.layers.Layer | None:
    """The faster form of a recurrent layer, with recurrent dropout where that is grafted; None where it has none."""
    dropout = layer if isinstance(layer, LaneRecurrentDropout) else None
    inner = dropout.inner if dropout is not None else layer
    if type(inner) is not keras.layers.Bidirectional:
        return FastRecurrent(inner, dropout) if _is_covered(inner) else None
    if inner.merge_mode not in MERGES or not (_is_covered(inner.forward_layer) and _is_covered(inner.backward_layer)):
        return None
    return FastBidirectional(inner, dropout)


class FastRecurrent(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A Keras LSTM or GRU in its faster form.

    Args:
        inner: The layer whose weights and options it uses.
        dropout: Where its dropout masks come from, if it has any.
        cell_number: Which of that layer's cells this is.
    """

    def __init__(
        self, inner: keras.layers.Layer, dropout: LaneRecurrentDropout | None = None, cell_number: int = 0
    ) -> None:
        super().__init__(name=f"{inner.name}_fast", dtype=inner.dtype_policy)
        self.inner = inner
        self.dropout = dropout
        self.cell_number = cell_number
        self.supports_masking = True
        self.built = True

    def call(self, sequences: Any, mask: Any = None, training: bool = False) -> Any:
        """Shape `(batch, n_steps, n_inputs)` to `(batch, units)` or, with `return_sequences`, with all steps."""
        inner = self.inner
        masks: tuple[Any, ...] = ()
        if self.dropout is not None and (training or is_sampling()):
            masks = self.dropout.masks(self.cell_number, sequences)
        if inner.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        valid = [] if mask is None else [ops.cast(ops.transpose(mask), sequences.dtype)[:, :, None]]
        outputs = self._run(ops.transpose(sequences, (1, 0, 2)), [*valid, *masks])
        if not inner.return_sequences:
            return outputs
        if inner.zero_output_for_mask and valid:
            outputs = outputs * valid[0]
        return ops.transpose(outputs, (1, 0, 2))

    def _run(self, inputs: Tensor, constants: list[Tensor]) -> Tensor:
        """The loop over time-major inputs; constants are the valid steps and the dropout masks, where there are any."""
        cell, each = self.inner.cell, self.inner.return_sequences
        form = FORMS[type(self.inner)]
        weights = [cell.kernel, cell.recurrent_kernel, *([cell.bias] if cell.use_bias else [])]

        def unpack(constants: list[Tensor], inputs: Tensor) -> tuple[Steps, Masks | None]:
            masks = Masks(*constants[-2:]) if len(constants) > 1 else None
            return Steps(inputs, constants[0] if len(constants) % 2 else None, biased=cell.use_bias), masks

        def forward(tensors: list[Tensor], constants: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            steps, masks = unpack(constants, tensors[0])
            last, outputs, saved = form.forward(steps, tensors[1:], masks)
            return outputs if each else last, saved

        def backward(
            tensors: list[Tensor], constants: list[Tensor], saved: list[Tensor], gradient: Tensor
        ) -> list[Tensor]:
            steps, masks = unpack(constants, tensors[0])
            upstream = Upstream(ops.zeros_like(gradient[0]), gradient) if each else Upstream(gradient, None)
            of_inputs, of_weights = form.backward(steps, tensors[1:], masks, saved, upstream)
            return [of_inputs, *of_weights]

        values = [ops.convert_to_tensor(weight, inputs.dtype) for weight in weights]
        return current_backend().with_gradient(forward, backward, [inputs, *values], constants)

    def compute_output_shape(self, sequences_shape: Any) -> Any:  # Keras wants this name
        """The inner layer's."""
        return self.inner.compute_output_shape(sequences_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The inner layer's."""
        return self.inner.compute_mask(inputs, previous_mask)


class FastBidirectional(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A Keras Bidirectional whose two layers are in their faster form.

    Args:
        inner: The layer whose weights and options it uses.
        dropout: Where the dropout masks of both cells come from, if they have any.
    """

    def __init__(self, inner: keras.layers.Bidirectional, dropout: LaneRecurrentDropout | None = None) -> None:
        super().__init__(name=f"{inner.name}_fast", dtype=inner.dtype_policy)
        self.inner = inner
        self.forwards = FastRecurrent(inner.forward_layer, dropout, 0)
        self.backwards = FastRecurrent(inner.backward_layer, dropout, 1)
        self.supports_masking = True
        self.built = True

    def call(self, sequences: Any, mask: Any = None, training: bool = False) -> Any:
        """Both ways through the sequence, merged."""
        one = self.forwards(sequences, mask=mask, training=training)
        other = self.backwards(sequences, mask=mask, training=training)
        if self.inner.return_sequences:
            other = ops.flip(other, axis=1)
        return MERGES[self.inner.merge_mode](one, other)

    def compute_output_shape(self, sequences_shape: Any) -> Any:  # Keras wants this name
        """The inner layer's."""
        return self.inner.compute_output_shape(sequences_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The inner layer's."""
        return self.inner.compute_mask(inputs, previous_mask)


def _is_covered(layer: keras.layers.Layer) -> bool:
    if type(layer) not in FORMS:
        return False
    cell = layer.cell
    return (
        not (layer.stateful or layer.unroll or layer.return_state)
        and (layer.return_sequences or not layer.zero_output_for_mask)
        and cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and cell.dropout == 0
        and cell.recurrent_dropout == 0
        and getattr(cell, "reset_after", True)
        and layer.activity_regularizer is None
    )
