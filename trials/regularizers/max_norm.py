"""A bound on the incoming weights of each hidden unit."""

from typing import ClassVar

import keras
from keras import ops

from trials.engine.random_bits import Tensor
from trials.regularizers.base import Knobs, Treatment


class MaxNormTreatment(Treatment):
    """Scales the weights into each unit (all axes of a kernel but the last) down to the bound, after every step."""

    name: ClassVar[str] = "max_norm"

    def constrain(self, kernel: Tensor, knobs: Knobs) -> Tensor:
        """The kernel, where norms exceed the bound scaled down, as `keras.constraints.MaxNorm` does."""
        bound = ops.cast(knobs["max_norm.value"], kernel.dtype)
        norms = ops.sqrt(ops.sum(ops.square(kernel), axis=tuple(range(len(kernel.shape) - 1)), keepdims=True))
        scaled = kernel * (ops.minimum(norms, bound) / (keras.backend.epsilon() + norms))
        return ops.where(bound > 0, scaled, kernel)
