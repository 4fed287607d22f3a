"""Dropout that keeps mean and variance of SELU activations."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import HIDDEN_SITES, RegularizerSpec


class AlphaDropout(RegularizerSpec):
    """Sets hidden activations to SELU's negative saturation with probability `rate` in training, then rescales.

    Scale and shift restore mean 0 and variance 1, for models with `selu` activations and LeCun normal weights. `sites`
    says which layers, as for `dropout`. In inference it is the identity, as Keras' `AlphaDropout`.

    References:
        Klambauer et al., 2017, Self-normalizing neural networks, arXiv:1706.02515.
    """

    name: ClassVar[str] = "alpha_dropout"
    summary: ClassVar[str] = "sets hidden activations to SELU's saturation at random"

    rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.9, off=0.0)]
    sites: Annotated[Range, HIDDEN_SITES] = Fixed(value="dense")
