"""Batch normalization."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from search_spaces.places import Place
from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class BatchNorm(RegularizerSpec):
    """Normalizes each channel of hidden layers by the mean and variance of the batch, then scales and shifts it.

    `placement` puts it between each dense layer or convolution and its activation, or after the activation; `none` is
    off. In inference moving averages take the place of the batch's figures; each step gives them a weight of
    1 - `momentum`. Both are structural: models with and without it are trained in programs of their own.

    References:
        Ioffe and Szegedy, 2015, Batch normalization: accelerating deep network training, arXiv:1502.03167.
    """

    name: ClassVar[str] = "batch_norm"
    summary: ClassVar[str] = "normalizes hidden layers by the statistics of the batch"

    placement: Annotated[
        Range,
        Knob(
            kind="category",
            words=("none", "before_activation", "after_activation"),
            off="none",
            role="structural",
        ),
    ]
    momentum: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.9999, role="structural", strength=False)] = (
        Fixed(value=0.99)
    )

    def needed_places(self) -> Iterator[tuple[str, tuple[Place, ...]]]:
        """Layers without recurrence, unless it is `none`."""
        if set(self.placement.levels() or ()) != {"none"}:
            yield self.name, ("dense layers", "convolutions")
