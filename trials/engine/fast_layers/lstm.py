"""An LSTM over a whole sequence with a gradient written by hand.

Inputs, a one for the bias and the masked state are one vector, so that each step is one matrix product. Activations are
kept for the way back, where each step costs two products: into the state, and into the kernels.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keras import ops

from trials.engine.backends.base import Tensor
from trials.engine.fast_layers.gates import Gates, MaskedGates, PlainGates
from trials.engine.fast_layers.time_loop import Masks, Steps, Upstream, backwards, forwards, unwritten, write_all

N_GATES = 4
"""Input, forget, candidate, output: Keras' order."""

SCALE = (0.5, 0.5, 1.0, 0.5)
SHIFT = (0.5, 0.5, 0.0, 0.5)
"""sigmoid(z) = tanh(z / 2) / 2 + 1/2, so that one tanh serves all gates."""


class Saved(NamedTuple):
    """What the way back needs, time first: gates, cell state before and squashed, and the input vector."""

    gates: Tensor
    cells: Tensor
    squashed: Tensor
    vectors: Tensor


def lstm_forward(steps: Steps, weights: list[Tensor], masks: Masks | None) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Runs the sequence.

    Args:
        steps: The inputs.
        weights: Kernel, recurrent kernel and, where there is one, bias; as Keras' cell has them.
        masks: Dropout masks, or None.

    Returns:
        The last output `(batch, units)`, all of them `(n_steps, batch, units)`, and what the way back needs.
    """
    gates = _gates(weights, masks)
    scale, shift = gates.per_gate(SCALE), gates.per_gate(SHIFT)
    zero = ops.zeros((steps.batch_size, weights[1].shape[0]), steps.inputs.dtype)
    likes = (zero, gates.join([zero] * N_GATES), zero, zero, steps.with_one(steps.inputs[0], zero))

    def step(t: Tensor, state: Sequence[Tensor], buffers: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        h, c = state
        vector = steps.with_one(steps.inputs[t], h)
        activated = ops.tanh(gates.product(vector) * scale) * scale + shift
        i, f, candidate, o = gates.split(activated)
        new_c = f * c + i * candidate
        squashed = ops.tanh(new_c)
        carried = [steps.carry(t, o * squashed, h), steps.carry(t, new_c, c)]
        return carried, write_all(buffers, t, [carried[0], activated, c, squashed, vector])

    buffers = [unwritten(steps.n_steps, like) for like in likes]
    (last, _), (outputs, *saved) = forwards(steps.n_steps, step, [zero, zero], buffers)
    return last, outputs, saved


def lstm_backward(
    steps: Steps, weights: list[Tensor], masks: Masks | None, saved: list[Tensor], upstream: Upstream
) -> tuple[Tensor, list[Tensor]]:
    """Runs the gradient back through the sequence.

    Args:
        steps: As on the way forward.
        weights: As on the way forward.
        masks: As on the way forward.
        saved: What came from there.
        upstream: Gradient of the output.

    Returns:
        Gradients of the inputs, `(n_steps, batch, n_inputs)`, and of the weights.
    """
    gates, kept = _gates(weights, masks), Saved(*saved)
    units = weights[1].shape[0]
    state_gradient = gates.input_gradient(slice(-units, None))

    def step(t: Tensor, carried: Sequence[Tensor], buffers: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        dh, dc, kernel = carried
        (dh, past_dh), (dc, past_dc) = steps.parts(t, upstream.at(t, dh)), steps.parts(t, dc)
        i, f, candidate, o = gates.split(kept.gates[t])
        squashed = kept.squashed[t]
        dc = dc + dh * o * (1.0 - squashed * squashed)
        dz = gates.join(
            [
                dc * candidate * i * (1.0 - i),
                dc * kept.cells[t] * f * (1.0 - f),
                dc * i * (1.0 - candidate * candidate),
                dh * squashed * o * (1.0 - o),
            ]
        )
        kernel = kernel + gates.kernel_gradient(kept.vectors[t], dz)
        return [steps.sum(state_gradient(dz), past_dh), steps.sum(dc * f, past_dc), kernel], write_all(buffers, t, [dz])

    start = [upstream.last, ops.zeros_like(upstream.last), gates.zero_gradient()]
    (_, _, kernel), (dz,) = backwards(steps.n_steps, step, start, [ops.zeros_like(kept.gates)])
    kernel = gates.kernel_of(kernel)
    weight_gradients = [kernel[: steps.n_inputs], kernel[-units:], *([kernel[steps.n_inputs]] if steps.biased else [])]
    return gates.input_gradient(slice(None, steps.n_inputs))(dz), weight_gradients


def _gates(weights: list[Tensor], masks: Masks | None) -> Gates:
    kernel, recurrent, *bias = weights
    rows = ops.concatenate([kernel, *(one[None] for one in bias), recurrent])
    if masks is None:
        return PlainGates(rows, N_GATES)
    ones = [ops.ones_like(masks.inputs[:, :, :1])] if bias else []
    return MaskedGates(rows, ops.concatenate([masks.inputs, *ones, masks.state], axis=-1))
