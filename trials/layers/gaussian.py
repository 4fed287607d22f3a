"""Gaussian noise by the lane's key: added, or multiplied."""

from typing import Any, ClassVar

from keras import ops

from trials.engine.random_bits import Key, normal
from trials.layers.base import LaneLayer


class LaneGaussianNoise(LaneLayer):
    """Adds normal noise in training, as `keras.layers.GaussianNoise`; its strength is the standard deviation.

    A standard deviation of 0 is exactly the identity.
    """

    def disturb(self, inputs: Any, strength: Any, key: Key) -> Any:
        """Adds the noise."""
        return inputs + strength * ops.cast(normal(key, self.draws_shape(inputs)), inputs.dtype)


class LaneGaussianDropout(LaneLayer):
    """Multiplies by noise of mean 1 in training, as `keras.layers.GaussianDropout`.

    Its strength is a rate: the noise's variance is rate / (1 - rate), that of dropout's. A rate of 0 is exactly the
    identity.

    References:
        Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15, section 10.
    """

    acts_when_sampling: ClassVar[bool] = True

    def disturb(self, inputs: Any, strength: Any, key: Key) -> Any:
        """Multiplies by the noise."""
        deviation = ops.sqrt(strength / (1.0 - strength))
        return inputs * (1.0 + deviation * ops.cast(normal(key, self.draws_shape(inputs)), inputs.dtype))
