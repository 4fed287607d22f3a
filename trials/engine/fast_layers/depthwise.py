"""Fast forms of depthwise and separable convolutions."""

from typing import Any

import keras
from keras import ops

from trials.engine.fast_layers.convolution import finish
from trials.engine.fast_layers.windows import Windows, windows_of


def fast_depthwise(layer: Any) -> keras.layers.Layer | None:
    """The faster form of a depthwise convolution, or None where it has none."""
    return FastDepthwise(layer) if layer.data_format == "channels_last" else None


def fast_separable(layer: Any) -> keras.layers.Layer | None:
    """The faster form of a separable convolution, or None where it has none."""
    return FastSeparable(layer) if layer.data_format == "channels_last" else None


class FastDepthwise(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """`DepthwiseConv1D` or `DepthwiseConv2D` as a sum over the kernel's elements.

    Args:
        inner: The layer whose geometry, kernel, bias and activation it uses.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(name=f"{inner.name}_fast", dtype=inner.dtype_policy)
        self.inner = inner
        self.built = True

    @property
    def kernel(self) -> Any:
        """The inner layer's kernel."""
        return self.inner.kernel

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The inner layer's."""
        shape: tuple[int | None, ...] = self.inner.compute_output_shape(input_shape)
        return shape

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, *spatial, channels)` to `(batch, *new_spatial, channels * depth_multiplier)`."""
        return finish(self.inner, _depthwise(self.inner, inputs, self.kernel))


class FastSeparable(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """`SeparableConv1D` or `SeparableConv2D` as a sum over the kernel's elements and a matrix product.

    Args:
        inner: The layer whose geometry, kernels, bias and activation it uses.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(name=f"{inner.name}_fast", dtype=inner.dtype_policy)
        self.inner = inner
        self.built = True

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The inner layer's."""
        shape: tuple[int | None, ...] = self.inner.compute_output_shape(input_shape)
        return shape

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, *spatial, channels)` to `(batch, *new_spatial, filters)`."""
        spread = _depthwise(self.inner, inputs, self.inner.depthwise_kernel)
        pointwise = ops.convert_to_tensor(self.inner.pointwise_kernel)
        return finish(self.inner, ops.matmul(spread, ops.reshape(pointwise, pointwise.shape[-2:])))


def _depthwise(layer: Any, inputs: Any, kernel: Any) -> Any:
    kernel, windows = ops.convert_to_tensor(kernel), windows_of(layer, layer.kernel_size, inputs.shape[1:-1])
    if layer.rank == 1:
        inputs, kernel = ops.expand_dims(inputs, 1), ops.expand_dims(kernel, 0)
    kernel = ops.reshape(kernel, (windows.n_elements, *kernel.shape[-2:]))
    return weighted_sum(inputs, kernel, windows)


def weighted_sum(x: Any, kernel: Any, windows: Windows) -> Any:
    """Each channel correlated with kernels of its own.

    Args:
        x: Shape `(batch, *spatial, channels)`.
        kernel: Shape `(elements, channels, multiplier)`.
        windows: Where the kernels are put.

    Returns:
        Shape `(batch, *windows, channels * multiplier)`.
    """
    padded, multiplier = windows.padded(x), kernel.shape[-1]
    views = [ops.expand_dims(view, -1) for view in windows.views(padded)]
    total = sum(view * kernel[i] for i, view in enumerate(views))
    return ops.reshape(total, (-1, *windows.shape(padded), x.shape[-1] * multiplier))
