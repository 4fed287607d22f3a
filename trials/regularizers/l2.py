"""L2 penalty."""

from typing import ClassVar

from keras import ops

from trials.engine.random_bits import Tensor
from trials.regularizers.base import Knobs, Treatment


class L2Treatment(Treatment):
    """Adds factor times the sum of the squared weights, as Keras does, without a half."""

    name: ClassVar[str] = "l2"

    def penalty(self, kernels: list[Tensor], knobs: Knobs) -> Tensor:
        """The sum over all hidden kernels, a scalar."""
        return knobs["l2.factor"] * sum(ops.sum(ops.square(kernel)) for kernel in kernels)
