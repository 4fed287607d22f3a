"""Normalizations over the last axis."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import Layer, Outcome
from search_spaces.refusal import refusal

Epsilon = Annotated[float, Field(ge=1e-8, le=1)]


class BatchNormalization(Layer):
    """Each feature by its mean and variance over the batch; in inference by their running means."""

    kind: Literal["batch_normalization"]
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.99
    epsilon: Epsilon = 1e-3

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        return Outcome(shape, 4 * shape[-1])


class LayerNormalization(Layer):
    """Each example by the mean and variance of its features."""

    kind: Literal["layer_normalization"]
    epsilon: Epsilon = 1e-3

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        return Outcome(shape, 2 * shape[-1])


class GroupNormalization(Layer):
    """Each example by the mean and variance of groups of its channels."""

    kind: Literal["group_normalization"]
    groups: Annotated[StrictInt, Field(ge=1, le=16_384)] = 32
    epsilon: Epsilon = 1e-3

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        if shape[-1] % self.groups:
            raise refusal("groups", f"a divisor of the {shape[-1]} channels", f"{self.groups}")
        return Outcome(shape, 2 * shape[-1])
