"""Multiplication by Gaussian noise."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import HIDDEN_SITES, RegularizerSpec


class GaussianDropout(RegularizerSpec):
    """Multiplies hidden activations in training by noise of mean 1 and variance rate / (1 - rate), that of dropout.

    `sites` says which layers, as for `dropout`. In inference it is the identity, as Keras' `GaussianDropout`.

    References:
        Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15, section 10.
    """

    name: ClassVar[str] = "gaussian_dropout"
    summary: ClassVar[str] = "multiplies hidden activations by random numbers around 1"

    rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.95, off=0.0)]
    sites: Annotated[Range, HIDDEN_SITES] = Fixed(value="dense")
