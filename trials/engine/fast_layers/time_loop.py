"""Compiled loops over the steps of a sequence, forwards and backwards, that fill preallocated buffers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from keras import ops

from trials.engine.backends.base import Tensor

Step: TypeAlias = Callable[[Tensor, Sequence[Tensor], Sequence[Tensor]], tuple[list[Tensor], list[Tensor]]]
"""From a step's number, what is carried and the buffers to what is carried and the buffers after it."""


@dataclass(frozen=True)
class Steps:
    """The inputs of a sequence.

    Attributes:
        inputs: Time-major, `(n_steps, batch, n_inputs)`.
        valid: 1 where a step counts and 0 where it is skipped, `(n_steps, batch, 1)`; None where all count.
        biased: Whether vectors have a one for a bias.
    """

    inputs: Tensor
    valid: Tensor | None
    biased: bool

    @property
    def n_steps(self) -> int:
        """Length of the sequence."""
        return int(self.inputs.shape[0])

    @property
    def batch_size(self) -> int:
        """Sequences in the batch; a tensor where that is not known when tracing."""
        size: int = ops.shape(self.inputs)[1]
        return size

    @property
    def n_inputs(self) -> int:
        """Width of a step's inputs."""
        return int(self.inputs.shape[2])

    def with_one(self, *vectors: Tensor) -> Tensor:
        """The vectors side by side, with a one for the bias after the first if biased."""
        one = [ops.ones_like(vectors[0][:, :1])] if self.biased else []
        return ops.concatenate([vectors[0], *one, *vectors[1:]], axis=-1)

    def carry(self, t: Tensor, new: Tensor, old: Tensor) -> Tensor:
        """The new state, or the old one where the step is skipped."""
        return new if self.valid is None else ops.where(self.valid[t] > 0, new, old)

    def parts(self, t: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        """The gradient of `carry`: that of the new state, and that of the old one, None for zero."""
        if self.valid is None:
            return gradient, None
        through = gradient * self.valid[t]
        return through, gradient - through

    @staticmethod
    def sum(gradient: Tensor, kept: Tensor | None) -> Tensor:
        """The two gradients of an old state together."""
        return gradient if kept is None else gradient + kept


class Masks(NamedTuple):
    """Dropout masks of a cell, one per gate, the same at every step.

    Attributes:
        inputs: Shape `(n_gates, batch, n_inputs)`.
        state: Shape `(n_gates, batch, units)`.
    """

    inputs: Tensor
    state: Tensor


@dataclass(frozen=True)
class Upstream:
    """The gradient of a sequence's output.

    Attributes:
        last: Of the last output, where that is all that is used; else zeros.
        each: Of all outputs, `(n_steps, batch, units)`, where these are used; else None.
    """

    last: Tensor
    each: Tensor | None

    def at(self, t: Tensor, carried: Tensor) -> Tensor:
        """Gradient of the state after step t, from that carried back to it."""
        return carried if self.each is None else carried + self.each[t]


def unwritten(n_steps: int, like: Tensor) -> Tensor:
    """A buffer of zeros with a place for each step."""
    return ops.zeros((n_steps, *ops.shape(like)), like.dtype)


def write_all(buffers: Sequence[Tensor], t: Tensor, values: Sequence[Tensor]) -> list[Tensor]:
    """The buffers, each with its value in place `t`."""
    return [
        ops.slice_update(buffer, (t, *[0] * len(value.shape)), value[None])
        for buffer, value in zip(buffers, values, strict=True)
    ]


def forwards(
    n_steps: int, step: Step, carried: list[Tensor], buffers: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Runs steps 0 … n_steps - 1."""
    n_carried = len(carried)

    def body(t: Tensor, *values: Tensor) -> list[Tensor]:
        after, filled = step(t, values[:n_carried], values[n_carried:])
        return [t + 1, *after, *filled]

    first = ops.convert_to_tensor(0, "int32")
    _, *values = ops.while_loop(lambda t, *_: t < n_steps, body, [first, *carried, *buffers])
    return values[:n_carried], values[n_carried:]


def backwards(
    n_steps: int, step: Step, carried: list[Tensor], buffers: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Runs steps n_steps - 1 … 0."""
    return forwards(n_steps, lambda t, *values: step(n_steps - 1 - t, *values), carried, buffers)
