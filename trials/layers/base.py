"""What the layers that draw from the lane's key have in common."""

from typing import Any, ClassVar

import keras
from keras import ops

from trials.engine.lane_scope import current_lane, is_sampling
from trials.engine.random_bits import Key


class LaneLayer(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer that is random in training and the identity in inference, unless predictions are being sampled.

    Attributes:
        acts_when_sampling: Whether it is random then.

    Args:
        stream: Word that keeps this layer's draws apart from those of all others in the model.
        strength: The fixed strength, or the name of the knob that holds it.
        noise_shape: Shape of the draws, None where it is the input's; 1 repeats a draw along that axis. None for the
            input's shape.
    """

    acts_when_sampling: ClassVar[bool] = False

    def __init__(
        self, stream: int, strength: float | str, noise_shape: tuple[int | None, ...] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.stream = stream
        self.strength = strength
        self.noise_shape = noise_shape
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:  # Keras' signature
        """Disturbs in training, passes through in inference; any shape."""
        if not training and not (self.acts_when_sampling and is_sampling()):
            return inputs
        lane = current_lane()
        strength = lane.knobs[self.strength] if isinstance(self.strength, str) else ops.convert_to_tensor(self.strength)
        return self.disturb(inputs, ops.cast(strength, inputs.dtype), lane.next_key(self.stream))

    def disturb(self, inputs: Any, strength: Any, key: Key) -> Any:
        """What becomes of the inputs in training.

        Args:
            inputs: Of any shape.
            strength: Scalar of the inputs' dtype.
            key: Key of this call.
        """
        raise NotImplementedError

    def draws_shape(self, inputs: Any) -> tuple[int, ...]:
        """Shape of the draws for these inputs."""
        shape = tuple(ops.shape(inputs))
        if self.noise_shape is None:
            return shape
        return tuple(size if size is not None else shape[i] for i, size in enumerate(self.noise_shape))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape
