"""Layers that stock Keras cannot offer: their strength is a run-time value of the lane."""

from typing import Any

import keras
from keras import ops

from trials.engine.lane_scope import current_lane
from trials.engine.random_bits import fold, uniform


class LaneDropout(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Dropout whose rate is the lane's knob `dropout.rate`.

    In training each element is zeroed with probability rate and the others are divided by 1 - rate; a rate of 0 is
    exactly the identity. In inference it is the identity, as `keras.layers.Dropout`.

    References:
        Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15.
    """

    def __init__(self, stream: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stream = stream

    def call(self, inputs: Any, training: bool = False) -> Any:  # Keras' signature
        """Drops in training, passes through in inference; any shape."""
        if not training:
            return inputs
        lane = current_lane()
        rate = ops.cast(lane.knobs["dropout.rate"], inputs.dtype)
        draws = ops.cast(uniform(fold(lane.key, self.stream), tuple(ops.shape(inputs))), inputs.dtype)
        return ops.where(draws >= rate, inputs / (1.0 - rate), ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape
