"""Poolings; the channels are the last axis."""

from typing import Literal, Self

from pydantic import StrictBool, model_validator

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import Extents, Layer, Outcome, check_axes, need_rank, per_axis, rank_of, slide


class Pooling(Layer):
    """The largest or the mean value of each window; `strides` are `pool_size` unless given."""

    kind: Literal[
        "max_pooling1d",
        "max_pooling2d",
        "max_pooling3d",
        "average_pooling1d",
        "average_pooling2d",
        "average_pooling3d",
    ]
    pool_size: Extents = 2
    strides: Extents | None = None
    padding: Literal["valid", "same"] = "valid"

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_axes("pool_size", self.pool_size, rank_of(self.kind))
        check_axes("strides", self.strides, rank_of(self.kind))
        return self

    def outcome(self, shape: Shape) -> Outcome:
        """Fewer places."""
        rank = rank_of(self.kind)
        need_rank(shape, self.kind, rank + 1)
        window = per_axis(self.pool_size, rank)
        strides = window if self.strides is None else per_axis(self.strides, rank)
        places = slide("pool_size", shape[:-1], window, strides, padding=self.padding)
        return Outcome((*places, shape[-1]))


class GlobalPooling(Layer):
    """The largest or the mean value of each channel; with `keepdims` each axis stays, of size 1."""

    kind: Literal[
        "global_max_pooling1d",
        "global_max_pooling2d",
        "global_max_pooling3d",
        "global_average_pooling1d",
        "global_average_pooling2d",
        "global_average_pooling3d",
    ]
    keepdims: StrictBool = False

    def outcome(self, shape: Shape) -> Outcome:
        """The channels."""
        rank = rank_of(self.kind)
        need_rank(shape, self.kind, rank + 1)
        return Outcome(((1,) * rank if self.keepdims else ()) + shape[-1:])
