"""L1 penalty."""

from typing import ClassVar

from keras import ops

from trials.engine.random_bits import Tensor
from trials.regularizers.base import Knobs, Treatment


class L1Treatment(Treatment):
    """Adds factor times the sum of the absolute weights."""

    name: ClassVar[str] = "l1"

    def penalty(self, kernels: list[Tensor], knobs: Knobs) -> Tensor:
        """The sum over all hidden kernels, a scalar."""
        return knobs["l1.factor"] * sum(ops.sum(ops.abs(kernel)) for kernel in kernels)
