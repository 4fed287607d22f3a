"""Pooling as pairwise operations on slices."""

from functools import reduce
from typing import Any

import keras
from keras import ops


def fast_pooling(layer: keras.layers.MaxPooling2D) -> keras.layers.Layer | None:
    """The faster form of a pooling, or None where it has none."""
    return ReshapeMaxPooling2D(layer) if _is_plain(layer) else None


class ReshapeMaxPooling2D(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """`MaxPooling2D` whose windows do not overlap, as pairwise maxima over the window's elements.

    Args:
        inner: The layer whose pool size it uses.
    """

    def __init__(self, inner: keras.layers.MaxPooling2D) -> None:
        super().__init__(name=f"{inner.name}_reshape")
        self.pool_size = tuple(inner.pool_size)

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, height, width, channels)` to `(batch, height // rows, width // columns, channels)`."""
        rows, columns = self.pool_size
        height, width, channels = inputs.shape[1] // rows, inputs.shape[2] // columns, inputs.shape[3]
        cut = inputs[:, : height * rows, : width * columns, :]
        by_row = ops.reshape(cut, (-1, height, rows, width * columns, channels))
        highest = reduce(ops.maximum, [by_row[:, :, i] for i in range(rows)])
        by_column = ops.reshape(highest, (-1, height, width, columns, channels))
        return reduce(ops.maximum, [by_column[:, :, :, j] for j in range(columns)])


def _is_plain(layer: keras.layers.MaxPooling2D) -> bool:
    return (
        tuple(layer.strides) == tuple(layer.pool_size)
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )
