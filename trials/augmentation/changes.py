"""All elementary changes of training images, at strengths that are tensors of the lane."""

from collections.abc import Mapping

from keras import ops

from trials.augmentation.affine import GEOMETRIC, warp
from trials.augmentation.boxes import inside_boxes
from trials.augmentation.policies import RANDAUGMENT_CHANGES, RANDAUGMENT_PICKS, STRENGTHS
from trials.engine.random_bits import Key, Tensor, fold, uniform

CONTRAST_STREAM, ERASING_STREAM, AREA_STREAM, PICK_STREAM = range(1, 5)
"""Words that keep the draws of these changes apart; those of `warp` are at 0."""


def augment(key: Key, images: Tensor, strengths: Mapping[str, Tensor]) -> Tensor:
    """Changes each image at random; with all strengths 0 the images come back untouched.

    Args:
        key: Key of this step's draws.
        images: Shape `(batch, height, width, channels)`.
        strengths: A scalar for each name in `STRENGTHS`.

    Returns:
        Tensor of the same shape.
    """

    def changed() -> Tensor:
        mixed = _with_randaugment(key, images.shape[0], strengths)

        def applies(*names: str) -> Tensor:
            return sum((strengths[name] for name in names), start=strengths["randaugment"]) > 0

        out = ops.cond(applies(*GEOMETRIC), lambda: warp(key, images, mixed), lambda: images)
        out = ops.cond(applies("contrast"), lambda: _contrast(fold(key, CONTRAST_STREAM), out, mixed), lambda: out)
        return ops.cond(applies("erasing"), lambda: _erase(key, out, mixed), lambda: out)

    return ops.cond(sum(strengths[name] for name in STRENGTHS) > 0, changed, lambda: images)


def _with_randaugment(key: Key, batch: int, strengths: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Strengths per image, shape `(batch, 1, 1)`: what is asked of all, and what is picked for the image."""
    n_changes = len(RANDAUGMENT_CHANGES)
    draws = uniform(fold(key, PICK_STREAM), (RANDAUGMENT_PICKS, batch, 1, 1))
    picks = ops.cast(draws * n_changes, "int32")
    mixed = dict(strengths)
    for number, name in enumerate(RANDAUGMENT_CHANGES):
        if name != "none":
            picked = ops.cast(ops.any(ops.equal(picks, number), axis=0), "float32")
            mixed[name] = strengths[name] + picked * strengths["randaugment"]
    return mixed


def _contrast(key: Key, images: Tensor, strengths: Mapping[str, Tensor]) -> Tensor:
    """Scales each channel's distance from its mean by 1 + a draw from -strength to +strength."""
    signed = uniform(key, (images.shape[0], 1, 1)) * 2.0 - 1.0
    factor = ops.expand_dims(1.0 + signed * strengths["contrast"], -1)
    mean = ops.mean(images, axis=(1, 2), keepdims=True)
    return mean + (images - mean) * factor


def _erase(key: Key, images: Tensor, strengths: Mapping[str, Tensor]) -> Tensor:
    """Sets a rectangle of up to strength of the area to 0."""
    largest = strengths["erasing"] + ops.zeros((images.shape[0], 1, 1))
    area = uniform(fold(key, AREA_STREAM), (images.shape[0],)) * ops.reshape(largest, (-1,))
    return ops.where(inside_boxes(fold(key, ERASING_STREAM), area, images.shape), 0.0, images)
