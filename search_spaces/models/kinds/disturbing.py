"""Layers that are random in training. Without a strength they mark where the study's regularizer of that name goes."""

from typing import Annotated, Literal

from pydantic import Field

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import Layer, Outcome, Rate, need_rank


class Disturbance(Layer):
    """Fixed dropout where it has a `rate`, otherwise the place of the study's own."""

    kind: Literal["dropout", "spatial_dropout", "gaussian_dropout", "alpha_dropout"]
    rate: Rate | None = None

    @property
    def is_site(self) -> bool:
        """Whether it marks a place."""
        return self.rate is None

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        if self.kind == "spatial_dropout":
            need_rank(shape, self.kind, 2, 3, 4)
        return Outcome(shape)


class GaussianNoise(Layer):
    """Fixed noise where it has a `stddev`, otherwise the place of the study's own."""

    kind: Literal["gaussian_noise"]
    stddev: Annotated[float, Field(ge=0, le=100)] | None = None

    @property
    def is_site(self) -> bool:
        """Whether it marks a place."""
        return self.stddev is None

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        return Outcome(shape)
