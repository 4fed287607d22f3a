"""Dropout by the lane's key."""

from typing import Any, ClassVar

from keras import ops

from trials.engine.random_bits import Key, uniform
from trials.layers.base import LaneLayer


class LaneDropout(LaneLayer):
    """Dropout whose rate is a knob of the lane, or fixed.

    In training each element is zeroed with probability rate and the others are divided by 1 - rate; a rate of 0 is
    exactly the identity. In inference it is the identity, as `keras.layers.Dropout`.

    References:
        Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15.
        Tompson et al., 2015, Efficient object localization using convolutional networks, arXiv:1411.4280 (whole
        feature maps, by `noise_shape`).
    """

    acts_when_sampling: ClassVar[bool] = True

    def __init__(
        self,
        stream: int,
        rate: float | str = "dropout.rate",
        noise_shape: tuple[int | None, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(stream, rate, noise_shape, **kwargs)

    def disturb(self, inputs: Any, strength: Any, key: Key) -> Any:
        """Drops and rescales."""
        draws = ops.cast(uniform(key, self.draws_shape(inputs)), inputs.dtype)
        return ops.where(draws >= strength, inputs / (1.0 - strength), ops.zeros_like(inputs))
