"""Rectangles of other images."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class CutMix(RegularizerSpec):
    """Puts a rectangle of another image of the batch into each training image, and mixes the targets by the areas.

    The rectangle's share of the area is 1 - a draw from a beta distribution with both parameters `alpha` (0 is off);
    what lies beyond the image's edge is cut off, and the targets follow the area that is left. Inference is untouched.

    References:
        Yun et al., 2019, CutMix: regularization strategy to train strong classifiers with localizable features,
        arXiv:1905.04899.
    """

    name: ClassVar[str] = "cutmix"
    summary: ClassVar[str] = "puts rectangles of other images into images"
    needs_images: ClassVar[bool] = True

    alpha: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=10.0, off=0.0)]
