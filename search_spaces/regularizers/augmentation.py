"""Random changes of the training images."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import RegularizerSpec

POLICIES = ("none", "flip", "shift", "rotate", "zoom", "shear", "contrast", "erasing", "randaugment")


class Augmentation(RegularizerSpec):
    """Changes every training image anew in every epoch; validation and test images stay as they are.

    `flip` mirrors left and right with probability 0.5, whatever the strength. The others draw uniformly from
    -strength to +strength: `shift` moves by that fraction of height and of width, `rotate` turns by that fraction
    of a full turn (0.1 is 36 degrees), `zoom` scales both axes by 1 + that, `shear` moves rows sideways by that many
    columns per row, `contrast` scales each channel's distance from its mean by 1 + that. `erasing` sets a rectangle of
    up to `strength` of the area to 0 (cutout). `randaugment` does two things to each image, drawn with equal chances
    from shift, rotate, zoom, shear, contrast, erasing and nothing. What lies outside the image is 0. The units are
    those of Keras' `RandomTranslation`, `RandomRotation` and `RandomZoom`.

    References:
        Simard, Steinkraus and Platt, 2003, Best practices for convolutional neural networks, ICDAR.
        DeVries and Taylor, 2017, Improved regularization of convolutional neural networks with cutout,
        arXiv:1708.04552.
        Cubuk et al., 2020, RandAugment: practical automated data augmentation with a reduced search space,
        arXiv:1909.13719.
    """

    name: ClassVar[str] = "augmentation"
    summary: ClassVar[str] = "changes training images at random"
    needs_images: ClassVar[bool] = True

    policy: Annotated[Range, Knob(kind="category", words=POLICIES, off="none")]
    strength: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.5, strength=False)] = Fixed(value=0.1)
