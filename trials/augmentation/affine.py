"""Flip, shift, rotation, zoom and shear as one random affine map per image, sampled bilinearly."""

import math
from collections.abc import Mapping

from keras import ops

from trials.engine.random_bits import Key, Tensor, fold, uniform

GEOMETRIC = ("flip", "shift", "rotate", "zoom", "shear")

FLIP, HEIGHT_SHIFT, WIDTH_SHIFT, ROTATION, ZOOM, SHEAR = range(6)


def warp(key: Key, images: Tensor, strengths: Mapping[str, Tensor]) -> Tensor:
    """Maps each image by an affine map of its own.

    Args:
        key: Key of this step's draws.
        images: Shape `(batch, height, width, channels)`.
        strengths: Scalars, or one per image of shape `(batch, 1, 1)`: `flip` (1: mirror with probability 0.5), `shift`
            (fraction of height and width), `rotate` (fraction of a full turn), `zoom` (relative size), `shear` (columns
            per row); draws are uniform from -strength to +strength.

    Returns:
        Tensor of the same shape; what lies outside an image is 0.
    """
    batch, height, width, _ = images.shape
    draws = uniform(fold(key, 0), (6, batch, 1, 1))
    signed = draws * 2.0 - 1.0
    mirror = ops.where(draws[FLIP] < 0.5 * strengths["flip"], -1.0, 1.0)
    angle = signed[ROTATION] * strengths["rotate"] * (2.0 * math.pi)
    scale = 1.0 / (1.0 + signed[ZOOM] * strengths["zoom"])
    rows = ops.reshape(ops.arange(height, dtype="float32") - (height - 1) / 2.0, (1, height, 1))
    columns = ops.reshape(ops.arange(width, dtype="float32") - (width - 1) / 2.0, (1, 1, width))
    rows = rows - signed[HEIGHT_SHIFT] * strengths["shift"] * height
    columns = columns - signed[WIDTH_SHIFT] * strengths["shift"] * width
    columns = columns + signed[SHEAR] * strengths["shear"] * rows
    sine, cosine = ops.sin(angle) * scale, ops.cos(angle) * scale
    source_rows = cosine * rows - sine * columns + (height - 1) / 2.0
    source_columns = mirror * (sine * rows + cosine * columns) + (width - 1) / 2.0
    return _sample(images, source_rows, source_columns)


def _sample(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Bilinear values at real positions; 0 outside.

    Args:
        images: Shape `(batch, height, width, channels)`.
        rows: Positions along the height, shape `(batch, height, width)`.
        columns: Positions along the width, same shape.
    """
    batch, height, width, channels = images.shape
    flat = ops.reshape(images, (batch * height * width, channels))
    first = ops.reshape(ops.arange(batch, dtype="int32") * (height * width), (batch, 1, 1))
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = rows - top, columns - left

    def corner(row: Tensor, column: Tensor, weight: Tensor) -> Tensor:
        inside = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1)
        r = ops.cast(ops.clip(row, 0, height - 1), "int32")
        c = ops.cast(ops.clip(column, 0, width - 1), "int32")
        values = ops.take(flat, ops.reshape(first + r * width + c, (-1,)), axis=0)
        factor = ops.where(inside, weight, ops.zeros_like(weight))
        return ops.reshape(values, (batch, height, width, channels)) * ops.expand_dims(factor, -1)

    return (
        corner(top, left, (1 - down) * (1 - right))
        + corner(top, left + 1, (1 - down) * right)
        + corner(top + 1, left, down * (1 - right))
        + corner(top + 1, left + 1, down * right)
    )
