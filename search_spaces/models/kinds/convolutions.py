"""Convolutions; the channels are the last axis."""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import (
    Count,
    Extents,
    Initializer,
    Layer,
    LayerActivation,
    Outcome,
    check_axes,
    need_rank,
    per_axis,
    rank_of,
    slide,
)
from search_spaces.places import Place

Multiplier = Annotated[StrictInt, Field(ge=1, le=64)]
Stride = Annotated[StrictInt, Field(ge=1, le=64)]


class _Sliding(Layer):
    """What convolutions of every kind have in common."""

    place: ClassVar[Place | None] = "convolutions"

    kind: str
    kernel_size: Extents
    activation: LayerActivation = "linear"
    use_bias: StrictBool = True
    dilation_rate: Stride = 1

    @model_validator(mode="after")
    def _check_kernel(self) -> Self:
        check_axes("kernel_size", self.kernel_size, rank_of(self.kind))
        return self

    @property
    def kernel(self) -> tuple[int, ...]:
        """Size of the kernel along each axis."""
        return per_axis(self.kernel_size, rank_of(self.kind))

    def places(self, shape: Shape, strides: Extents, padding: str) -> Shape:
        """Places that come out."""
        need_rank(shape, self.kind, rank_of(self.kind) + 1)
        steps = per_axis(strides, rank_of(self.kind))
        return slide("kernel_size", shape[:-1], self.kernel, steps, padding=padding, dilation=self.dilation_rate)


class Convolution(_Sliding):
    """A convolution over one, two or three axes; `causal` padding is for one axis alone."""

    kind: Literal["conv1d", "conv2d", "conv3d"]
    filters: Count
    strides: Extents = 1
    padding: Literal["valid", "same", "causal"] = "valid"
    kernel_initializer: Initializer = "glorot_uniform"

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        rank = rank_of(self.kind)
        check_axes("strides", self.strides, rank)
        if self.padding == "causal" and rank > 1:
            msg = f"padding of {self.kind} must be valid or same, received causal"
            raise ValueError(msg)
        if self.dilation_rate > 1 and (rank == 3 or max(per_axis(self.strides, rank)) > 1):
            why = "for conv3d" if rank == 3 else "where strides are not 1"
            msg = f"dilation_rate must be 1 {why}, received {self.dilation_rate}"
            raise ValueError(msg)
        return self

    def outcome(self, shape: Shape) -> Outcome:
        """Fewer places, as strides and padding say, and `filters` channels."""
        places = self.places(shape, self.strides, self.padding)
        n_parameters = (math.prod(self.kernel) * shape[-1] + self.use_bias) * self.filters
        return Outcome((*places, self.filters), n_parameters)


class _ByChannel(_Sliding):
    """Convolutions that begin with one of each channel apart."""

    strides: Stride = 1
    padding: Literal["valid", "same"] = "valid"
    depth_multiplier: Multiplier = 1

    @model_validator(mode="after")
    def _check_dilation(self) -> Self:
        if self.dilation_rate > 1 and self.strides > 1:
            msg = f"dilation_rate must be 1 where strides are not 1, received {self.dilation_rate}"
            raise ValueError(msg)
        return self


class DepthwiseConvolution(_ByChannel):
    """A convolution of each channel apart, which gives `depth_multiplier` channels for each."""

    kind: Literal["depthwise_conv1d", "depthwise_conv2d"]

    def outcome(self, shape: Shape) -> Outcome:
        """Fewer places; the channels times `depth_multiplier`."""
        places = self.places(shape, self.strides, self.padding)
        channels = shape[-1] * self.depth_multiplier
        return Outcome((*places, channels), (math.prod(self.kernel) + self.use_bias) * channels)


class SeparableConvolution(_ByChannel):
    """A convolution of each channel apart, then a mixing of the channels."""

    kind: Literal["separable_conv1d", "separable_conv2d"]
    filters: Count

    def outcome(self, shape: Shape) -> Outcome:
        """Fewer places, and `filters` channels."""
        places = self.places(shape, self.strides, self.padding)
        inner = shape[-1] * self.depth_multiplier
        n_parameters = math.prod(self.kernel) * inner + (inner + self.use_bias) * self.filters
        return Outcome((*places, self.filters), n_parameters, math.prod(places) * inner)
