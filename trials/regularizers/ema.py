"""Moving averages of the weights."""

from typing import ClassVar

from keras import ops

from trials.engine.random_bits import Tensor
from trials.regularizers.base import Knobs, Treatment


class EMATreatment(Treatment):
    """Keeps an exponential moving average of every trainable weight, and evaluates with it."""

    name: ClassVar[str] = "ema"
    keeps_average: ClassVar[bool] = True

    def average(self, average: Tensor, weight: Tensor, is_first: Tensor, knobs: Knobs) -> Tensor:
        """Average x decay + weight x (1 - decay); the weight itself after the first step, as in Keras' optimizers."""
        decay = ops.cast(knobs["ema.decay"], weight.dtype)
        mixed = average * decay + weight * (1.0 - decay)
        return ops.where(is_first | (decay == 0), weight, mixed)
