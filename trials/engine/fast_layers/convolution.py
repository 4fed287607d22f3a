"""Convolution as a matrix product.

XLA's own convolution gradient is some 25 times slower inside a compiled loop than outside it; a matrix product is not.
"""

from typing import Any

import keras
from keras import ops


def fast_convolution(layer: keras.layers.Conv2D) -> keras.layers.Layer | None:
    """The faster form of a convolution, or None where it has none."""
    return MatmulConv2D(layer) if _is_plain(layer) else None


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


def _is_plain(layer: keras.layers.Conv2D) -> bool:
    return (
        tuple(layer.strides) == (1, 1)
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and layer.padding in ("same", "valid")
    )
