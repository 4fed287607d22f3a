"""The linear part of a recurrent step: from one input to the pre-activations of all gates, and back.

Two forms share one contract. `PlainGates` is one product with all kernels side by side: `(batch, n_gates * units)`.
`MaskedGates` gives each gate an input of its own, multiplied by the gate's dropout mask, as Keras' cells do; it is one
batched product with the gate as the first axis, `(n_gates, batch, units)`, which a CPU computes equally fast.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from keras import ops

from trials.engine.backends.base import Tensor


class Gates(Protocol):
    """What the loops over time need. Inputs are `(batch, n_inputs)`; `Z` is the form's own layout of all gates."""

    def product(self, inputs: Tensor) -> Tensor:
        """Pre-activations Z of all gates."""

    def split(self, z: Tensor) -> Sequence[Tensor]:
        """The gates of Z, each `(batch, units)`."""

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """The inverse of `split`."""

    def per_gate(self, values: Sequence[float]) -> Tensor:
        """One number per gate, to be broadcast against Z."""

    def input_gradient(self, rows: slice) -> Callable[[Tensor], Tensor]:
        """The function from dZ to the gradient of the given columns of the inputs; dZ may have a first axis of time.

        Ask for it outside of a loop: it prepares the kernel.
        """

    def kernel_gradient(self, inputs: Tensor, dz: Tensor) -> Tensor:
        """Gradient of the kernel, in the form's layout."""

    def zero_gradient(self) -> Tensor:
        """A kernel gradient of zeros, to add to."""

    def kernel_of(self, gradient: Tensor) -> Tensor:
        """A kernel gradient in the layout of the kernel, `(n_inputs, n_gates * units)`."""


class PlainGates:
    """One input for all gates.

    Args:
        kernel: Shape `(n_inputs, n_gates * units)`.
        n_gates: How many gates lie side by side in it.
    """

    def __init__(self, kernel: Tensor, n_gates: int) -> None:
        self.kernel = kernel
        self.n_gates = n_gates

    def product(self, inputs: Tensor) -> Tensor:
        """Shape `(batch, n_gates * units)`."""
        return ops.matmul(inputs, self.kernel)

    def split(self, z: Tensor) -> Sequence[Tensor]:
        """Slices of the last axis."""
        gates: Sequence[Tensor] = ops.split(z, self.n_gates, axis=-1)
        return gates

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Side by side."""
        return ops.concatenate(parts, axis=-1)

    def per_gate(self, values: Sequence[float]) -> Tensor:
        """Shape `(n_gates * units,)`."""
        units = self.kernel.shape[-1] // self.n_gates
        return ops.convert_to_tensor(np.repeat(np.asarray(values, np.float32), units), self.kernel.dtype)

    def input_gradient(self, rows: slice) -> Callable[[Tensor], Tensor]:
        """One product with the transposed kernel."""
        transposed = ops.transpose(self.kernel[rows])
        return lambda dz: ops.matmul(dz, transposed)

    def kernel_gradient(self, inputs: Tensor, dz: Tensor) -> Tensor:
        """One product over the batch."""
        return ops.matmul(ops.transpose(inputs), dz)

    def zero_gradient(self) -> Tensor:
        """Of the kernel's shape."""
        return ops.zeros_like(self.kernel)

    def kernel_of(self, gradient: Tensor) -> Tensor:
        """As it is."""
        return gradient


class MaskedGates:
    """An input of its own for each gate: the common one, masked.

    Args:
        kernel: Shape `(n_inputs, n_gates * units)`.
        masks: Shape `(n_gates, batch, n_inputs)`.
    """

    def __init__(self, kernel: Tensor, masks: Tensor) -> None:
        self.masks = masks
        self.n_gates = masks.shape[0]
        self.kernel = ops.transpose(ops.reshape(kernel, (kernel.shape[0], self.n_gates, -1)), (1, 0, 2))

    def product(self, inputs: Tensor) -> Tensor:
        """Shape `(n_gates, batch, units)`."""
        return ops.matmul(inputs * self.masks, self.kernel)

    def split(self, z: Tensor) -> Sequence[Tensor]:
        """Slices of the first axis."""
        return [z[gate] for gate in range(self.n_gates)]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """One upon the other."""
        return ops.stack(parts)

    def per_gate(self, values: Sequence[float]) -> Tensor:
        """Shape `(n_gates, 1, 1)`."""
        return ops.convert_to_tensor(np.asarray(values, np.float32)[:, None, None], self.kernel.dtype)

    def input_gradient(self, rows: slice) -> Callable[[Tensor], Tensor]:
        """One batched product with the transposed kernels, masked and summed over the gates."""
        transposed, masks = ops.transpose(self.kernel[:, rows], (0, 2, 1)), self.masks[:, :, rows]
        return lambda dz: ops.sum(ops.matmul(dz, transposed) * masks, axis=-3)

    def kernel_gradient(self, inputs: Tensor, dz: Tensor) -> Tensor:
        """One batched product over the batch."""
        return ops.matmul(ops.transpose(inputs * self.masks, (0, 2, 1)), dz)

    def zero_gradient(self) -> Tensor:
        """Shape `(n_gates, n_inputs, units)`."""
        return ops.zeros_like(self.kernel)

    def kernel_of(self, gradient: Tensor) -> Tensor:
        """With the gates side by side again."""
        return ops.reshape(ops.transpose(gradient, (1, 0, 2)), (gradient.shape[1], -1))
