"""Decoupled weight decay."""

from typing import ClassVar

from trials.engine.random_bits import Tensor
from trials.regularizers.base import Knobs, Treatment


class WeightDecayTreatment(Treatment):
    """Shrinks every kernel before the optimizer's step."""

    name: ClassVar[str] = "weight_decay"
    decays: ClassVar[bool] = True

    def decay(self, kernel: Tensor, learning_rate: Tensor, knobs: Knobs) -> Tensor:
        """The kernel times 1 - learning rate x factor."""
        return kernel - kernel * (learning_rate * knobs["weight_decay.factor"])
