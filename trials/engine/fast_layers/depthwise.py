"""Fast forms of depthwise and separable convolutions."""

from typing import Any

import keras
from keras import ops

from trials.engine.fast_layers.base import FastForm
from trials.engine.fast_layers.convolution import finish
from trials.engine.fast_layers.windows import Windows, windows_of


def fast_depthwise(layer: Any) -> keras.layers.Layer | None:
    """The faster form of a depthwise convolution, or None where it has none."""
    return FastDepthwise(layer) if layer.data_format == "channels_last" else None


def fast_separable(layer: Any) -> keras.layers.Layer | None:
    """The faster form of a separable convolution, or None where it has none."""
    return FastSeparable(layer) if layer.data_format == "channels_last" else None


class FastDepthwise(FastForm):
    """`DepthwiseConv1D` or `DepthwiseConv2D` as a sum over the kernel's elements.

    Args:
        inner: The layer whose geometry, kernel, bias and activation it uses.
    """

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, *spatial, channels)` to `(batch, *new_spatial, channels * depth_multiplier)`."""
        return finish(self.inner, _depthwise(self.inner, inputs, self.kernel))


class FastSeparable(FastForm):
    """`SeparableConv1D` or `SeparableConv2D` as a sum over the kernel's elements and a matrix product.

    Args:
        inner: The layer whose geometry, kernels, bias and activation it uses.
    """

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

    @ops.custom_gradient  # type: ignore[untyped-decorator]  # keras ships no types
    def total(x: Any, kernel: Any) -> tuple[Any, Any]:
        views = [ops.expand_dims(view, -1) for view in windows.views(windows.padded(x))]
        rows, width = (-1, *views[0].shape[1:-2]), kernel.shape[1] * kernel.shape[2]

        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, Any]:
            dy = args[0] if upstream is None else upstream
            by_row = ops.reshape(dy, (*rows, *kernel.shape[1:]))
            by_element = [_sum_of_rows(ops.reshape(view * by_row, (-1, width))) for view in views]
            return _input_gradient(dy, kernel, windows, x.shape), ops.reshape(ops.concatenate(by_element), kernel.shape)

        return ops.reshape(sum(view * kernel[i] for i, view in enumerate(views)), (*rows, width)), gradient

    return total(x, kernel)


def _sum_of_rows(rows: Any) -> Any:
    """The sum over the first axis, `(1, width)`, as a product: XLA's own sums are slower."""
    return ops.matmul(ops.ones((1, rows.shape[0]), rows.dtype), rows)


def _input_gradient(dy: Any, kernel: Any, windows: Windows, shape: tuple[int, ...]) -> Any:
    """The sum over the mirrored kernel's elements, with zeros between windows that are apart."""
    axes = zip(windows.size, windows.strides, windows.dilation, windows.pads, strict=True)
    pads = []
    for axis, (size, stride, step, (low, _)) in enumerate(axes, start=1):
        dy = _spread(dy, axis, stride)
        pads.append(((size - 1) * step - low, shape[axis] + low - dy.shape[axis]))
    mirrored = Windows(windows.size, (1,) * len(pads), windows.dilation, tuple(pads))
    weights = ops.reshape(kernel, (windows.n_elements, -1))
    terms = [view * weights[-1 - i] for i, view in enumerate(mirrored.views(mirrored.padded(dy)))]
    return ops.sum(ops.reshape(sum(terms), (-1, *shape[1:], kernel.shape[-1])), axis=-1)


def _spread(x: Any, axis: int, distance: int) -> Any:
    """The array with zeros put between its entries along an axis."""
    length, shape = x.shape[axis], x.shape
    if distance == 1:
        return x
    pads = [[0, 0]] * (axis + 1) + [[0, distance - 1]] + [[0, 0]] * (len(shape) - axis - 1)
    spread = ops.reshape(
        ops.pad(ops.expand_dims(x, axis + 1), pads), (-1, *shape[1:axis], length * distance, *shape[axis + 1 :])
    )
    return spread[(slice(None),) * axis + (slice((length - 1) * distance + 1),)]
