"""A GRU (`reset_after`, Keras' default) over a whole sequence with a gradient written by hand.

Inputs and state have products of their own, since the reset gate acts on the state's part of the candidate alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keras import ops

from trials.engine.backends.base import Tensor
from trials.engine.fast_layers.gates import Gates, MaskedGates, PlainGates
from trials.engine.fast_layers.time_loop import Masks, Steps, Upstream, backwards, forwards, unwritten, write_all

N_GATES = 3
"""Update, reset, candidate: Keras' order."""


class Saved(NamedTuple):
    """What the way back needs, time first: gates, the state's part of the candidate, and the state before."""

    gates: Tensor
    recurrent: Tensor
    states: Tensor


def gru_forward(steps: Steps, weights: list[Tensor], masks: Masks | None) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Runs the sequence; takes and gives what `lstm_forward` does."""
    by_inputs, by_state = _gates(weights, masks)
    zero = ops.zeros((steps.batch_size, weights[1].shape[0]), steps.inputs.dtype)
    likes = (zero, by_state.join([zero] * N_GATES), zero, zero)

    def step(t: Tensor, state: Sequence[Tensor], buffers: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        (h,) = state
        from_inputs = by_inputs.split(by_inputs.product(steps.with_one(steps.inputs[t])))
        from_state = by_state.split(by_state.product(steps.with_one(h)))
        z, r = (_sigmoid(one + other) for one, other in zip(from_inputs[:2], from_state[:2], strict=True))
        candidate = ops.tanh(from_inputs[2] + r * from_state[2])
        new_h = steps.carry(t, z * h + (1.0 - z) * candidate, h)
        return [new_h], write_all(buffers, t, [new_h, by_state.join([z, r, candidate]), from_state[2], h])

    buffers = [unwritten(steps.n_steps, like) for like in likes]
    (last,), (outputs, *saved) = forwards(steps.n_steps, step, [zero], buffers)
    return last, outputs, saved


def gru_backward(
    steps: Steps, weights: list[Tensor], masks: Masks | None, saved: list[Tensor], upstream: Upstream
) -> tuple[Tensor, list[Tensor]]:
    """Runs the gradient back through the sequence; takes and gives what `lstm_backward` does."""
    (by_inputs, by_state), kept = _gates(weights, masks), Saved(*saved)
    units = weights[1].shape[0]
    state_gradient = by_state.input_gradient(slice(None, units))

    def step(t: Tensor, carried: Sequence[Tensor], buffers: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        dh, kernel, recurrent = carried
        dh, past_dh = steps.parts(t, upstream.at(t, dh))
        z, r, candidate = by_state.split(kept.gates[t])
        h = kept.states[t]
        to_candidate = dh * (1.0 - z) * (1.0 - candidate * candidate)
        to_update = dh * (h - candidate) * z * (1.0 - z)
        to_reset = to_candidate * kept.recurrent[t] * r * (1.0 - r)
        dx = by_inputs.join([to_update, to_reset, to_candidate])
        dz = by_state.join([to_update, to_reset, to_candidate * r])
        kernel = kernel + by_inputs.kernel_gradient(steps.with_one(steps.inputs[t]), dx)
        recurrent = recurrent + by_state.kernel_gradient(steps.with_one(h), dz)
        dh = steps.sum(dh * z + state_gradient(dz), past_dh)
        return [dh, kernel, recurrent], write_all(buffers, t, [dx])

    start = [upstream.last, by_inputs.zero_gradient(), by_state.zero_gradient()]
    (_, kernel, recurrent), (dx,) = backwards(steps.n_steps, step, start, [ops.zeros_like(kept.gates)])
    kernel, recurrent = by_inputs.kernel_of(kernel), by_state.kernel_of(recurrent)
    bias = [ops.stack([kernel[-1], recurrent[-1]])] if steps.biased else []
    weight_gradients = [kernel[: steps.n_inputs], recurrent[:units], *bias]
    return by_inputs.input_gradient(slice(None, steps.n_inputs))(dx), weight_gradients


def _gates(weights: list[Tensor], masks: Masks | None) -> tuple[Gates, Gates]:
    """The products with the inputs and with the state; a row for the bias is the last of each."""
    kernel, recurrent, *biases = weights
    by_inputs = ops.concatenate([kernel, *(bias[:1] for bias in biases)])
    by_state = ops.concatenate([recurrent, *(bias[1:] for bias in biases)])
    if masks is None:
        return PlainGates(by_inputs, N_GATES), PlainGates(by_state, N_GATES)
    ones = [ops.ones_like(masks.inputs[:, :, :1])] if biases else []
    return (
        MaskedGates(by_inputs, ops.concatenate([masks.inputs, *ones], axis=-1)),
        MaskedGates(by_state, ops.concatenate([masks.state, *ones], axis=-1)),
    )


def _sigmoid(x: Tensor) -> Tensor:
    return 0.5 * ops.tanh(0.5 * x) + 0.5
