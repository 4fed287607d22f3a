"""Alpha dropout by the lane's key."""

from typing import Any, ClassVar

from keras import ops

from trials.engine.random_bits import Key, uniform
from trials.layers.base import LaneLayer

SATURATION = -1.0507009873554805 * 1.6732632423543772
"""What SELU tends to for large negative inputs."""


class LaneAlphaDropout(LaneLayer):
    """Sets elements to SELU's negative saturation and restores mean and variance, as `keras.layers.AlphaDropout`.

    A rate of 0 is exactly the identity.

    References:
        Klambauer et al., 2017, Self-normalizing neural networks, arXiv:1706.02515.
    """

    acts_when_sampling: ClassVar[bool] = True

    def disturb(self, inputs: Any, strength: Any, key: Key) -> Any:
        """Drops to the saturation value, then scales and shifts."""
        kept = ops.cast(uniform(key, self.draws_shape(inputs)), inputs.dtype) >= strength
        scale = ops.rsqrt((1.0 - strength) * (1.0 + strength * SATURATION**2))
        return scale * ops.where(kept, inputs, SATURATION) - scale * SATURATION * strength
