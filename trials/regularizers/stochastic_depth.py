"""Residual branches left out at random."""

from typing import Any, ClassVar

import keras

from trials.engine.random_bits import Key
from trials.layers import LaneDropout
from trials.regularizers.base import Found, LayerTreatment


class StochasticDepthTreatment(LayerTreatment):
    """Puts it at the ends of residual branches, which the model's author has marked."""

    name: ClassVar[str] = "stochastic_depth"
    stream: ClassVar[int] = 0x01500000

    def layer(self, number: int, at: str, depth: float) -> keras.layers.Layer:
        """Leaves out whole branches, the deeper ones more often."""
        return LaneStochasticDepth(self.stream + number, depth, name=f"{at}_stochastic_depth")

    def found(self, model: keras.Model) -> Found:
        """Nowhere: a branch cannot be told from the graph alone."""
        del model
        raise self.nowhere("a model with marked residual branches")


class LaneStochasticDepth(LaneDropout):
    """Zeroes whole examples of a branch with probability depth x rate, and divides the others by 1 - that.

    Only in training: sampled predictions leave nothing out.

    Args:
        stream: Word that keeps this layer's draws apart.
        depth: Share of the rate that counts here, above 0, at most 1.
    """

    acts_when_sampling: ClassVar[bool] = False

    def __init__(self, stream: int, depth: float, **kwargs: Any) -> None:
        super().__init__(stream, "stochastic_depth.rate", **kwargs)
        self.depth = depth

    def draws_shape(self, inputs: Any) -> tuple[int, ...]:
        """Shape of the draws: one per example."""
        shape = tuple(keras.ops.shape(inputs))
        return (shape[0], *[1] * (len(shape) - 1))

    def disturb(self, inputs: Any, strength: Any, key: Key) -> Any:
        """Drops and rescales."""
        return super().disturb(inputs, self.depth * strength, key)
