"""Pairs of examples blended."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class MixUp(RegularizerSpec):
    """Trains on share x example + (1 - share) x another one of the batch, and on targets blended alike.

    The share is drawn anew for each example from a beta distribution with both parameters `alpha`; 0 is off. Examples
    of any kind are blended, but for whole numbers that are embedded. Running accuracy counts the class with the larger
    share. Inference is untouched.

    References:
        Zhang et al., 2018, mixup: beyond empirical risk minimization, arXiv:1710.09412.
    """

    name: ClassVar[str] = "mixup"
    summary: ClassVar[str] = "trains on blends of two examples"
    blends_examples: ClassVar[bool] = True

    alpha: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=10.0, off=0.0)]
