"""Random changes of the training images."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import RegularizerSpec

POLICIES = ("none", "flip", "shift", "rotate", "zoom")


class Augmentation(RegularizerSpec):
    """Changes every training image anew in every epoch; validation and test images stay as they are.

    `flip` mirrors left and right with probability 0.5, whatever the strength. The others draw uniformly from
    -strength to +strength: `shift` moves by that fraction of height and of width, `rotate` turns by that fraction
    of a full turn (0.1 is 36 degrees), `zoom` scales both axes by 1 + that. What lies outside the image is 0.
    The units are those of Keras' `RandomTranslation`, `RandomRotation` and `RandomZoom`.

    References:
        Simard, Steinkraus and Platt, 2003, Best practices for convolutional neural networks, ICDAR.
    """

    name: ClassVar[str] = "augmentation"
    summary: ClassVar[str] = "changes training images at random"

    policy: Annotated[Range, Knob(kind="category", words=POLICIES, off="none")]
    strength: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.5, strength=False)] = Fixed(value=0.1)
