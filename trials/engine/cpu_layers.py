"""Convolution and pooling in the forms that XLA runs fast on a CPU.

XLA's own convolution gradient is some 25 times slower inside a compiled loop than outside it; a matrix product is not.
Each layer here shares the weights of the Keras layer that it stands for, and computes the same function.
"""

from functools import reduce
from typing import Any

import keras
from keras import ops

from trials.grafting import rewrite


class MatmulConv2D(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """`Conv2D` of stride 1 as one matrix product over shifted copies of the image (im2col).

    Args:
        inner: The layer whose kernel, bias, padding and activation it uses.
    """

    def __init__(self, inner: keras.layers.Conv2D) -> None:
        super().__init__(name=f"{inner.name}_matmul")
        self.inner = inner
        self.built = True

    @property
    def kernel(self) -> Any:
        """The inner layer's kernel."""
        return self.inner.kernel

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`."""
        rows, columns = self.inner.kernel_size
        if self.inner.padding == "same":
            top, left = (rows - 1) // 2, (columns - 1) // 2
            inputs = ops.pad(inputs, [[0, 0], [top, rows - 1 - top], [left, columns - 1 - left], [0, 0]])
        height, width = inputs.shape[1] - rows + 1, inputs.shape[2] - columns + 1
        shifted = [inputs[:, i : i + height, j : j + width, :] for i in range(rows) for j in range(columns)]
        patches = ops.concatenate(shifted, axis=-1)
        filters = self.inner.filters
        flat = ops.matmul(ops.reshape(patches, (-1, patches.shape[-1])), ops.reshape(self.kernel, (-1, filters)))
        outputs = ops.reshape(flat, (-1, height, width, filters))
        if self.inner.use_bias:
            outputs = outputs + self.inner.bias
        return self.inner.activation(outputs)


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


def for_cpu(model: keras.Model) -> keras.Model:
    """The model with every convolution and pooling that has a faster form in that form; weights are shared."""

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if type(layer) is keras.layers.Conv2D and _is_plain_convolution(layer):
            return MatmulConv2D(layer)(*args)
        if type(layer) is keras.layers.MaxPooling2D and _is_plain_pooling(layer):
            return ReshapeMaxPooling2D(layer)(*args)
        return layer(*args, **kwargs)

    return rewrite(model, call)


def _is_plain_convolution(layer: keras.layers.Conv2D) -> bool:
    return (
        tuple(layer.strides) == (1, 1)
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and layer.padding in ("same", "valid")
    )


def _is_plain_pooling(layer: keras.layers.MaxPooling2D) -> bool:
    return (
        tuple(layer.strides) == tuple(layer.pool_size)
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )
