"""Correlation of a channels-last array with a kernel, as XLA runs it fast inside a compiled loop, gradient included.

XLA's own gradient of a convolution is many times slower inside a loop than outside it. Forward convolutions and matrix
products are not: the gradient with respect to the input is a forward convolution with the mirrored kernel, that with
respect to the kernel a sum of products over blocks of images whose patches stay in cache.
"""

import math
from typing import Any

from keras import ops

from trials.engine.fast_layers.windows import Windows

BLOCK_BYTES = 2**20
"""Patches computed at once: they stay in a core's cache, and memory stays small."""

MAX_PLANES = 2
"""So many channels or fewer are correlated plane by plane: rows of patches would be too short to be copied fast."""


def correlate(x: Any, kernel: Any, windows: Windows) -> Any:
    """The correlation.

    Args:
        x: Shape `(batch, *spatial, channels)`, of two or three spatial axes.
        kernel: Shape `(*size, channels, filters)`.
        windows: Where the kernel is put.

    Returns:
        Shape `(batch, *windows, filters)`.
    """
    if not windows.dense:
        return _product(x, kernel, windows)
    if windows.n_elements == 1:
        return ops.matmul(x, ops.reshape(kernel, kernel.shape[-2:]))
    if x.shape[-1] <= MAX_PLANES and len(windows.size) == 2:
        return _with_gradient(_by_planes, _planes_kernel_gradient, windows)(x, kernel)
    return _with_gradient(_forward, _kernel_gradient, windows)(x, kernel)


def _with_gradient(forward: Any, kernel_gradient: Any, windows: Windows) -> Any:
    @ops.custom_gradient  # type: ignore[untyped-decorator]  # keras ships no types
    def correlation(x: Any, kernel: Any) -> tuple[Any, Any]:
        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, Any]:
            dy = args[0] if upstream is None else upstream
            return _input_gradient(dy, kernel, windows), ops.reshape(kernel_gradient(x, dy, windows), kernel.shape)

        return forward(x, kernel, windows), gradient

    return correlation


def _forward(x: Any, kernel: Any, windows: Windows) -> Any:
    """XLA's forward convolution, which knows symmetric padding itself; of three axes it is slow, a product not."""
    if len(windows.size) == 3:
        return _product(x, kernel, windows)
    reach = [(size - 1) * dilation for size, dilation in zip(windows.size, windows.dilation, strict=True)]
    same = all(pad == (total // 2, total - total // 2) for pad, total in zip(windows.pads, reach, strict=True))
    padding, x = ("same", x) if same else ("valid", windows.padded(x))
    return ops.conv(x, kernel, padding=padding, dilation_rate=windows.dilation, data_format="channels_last")


def _input_gradient(dy: Any, kernel: Any, windows: Windows) -> Any:
    """The full correlation with the mirrored kernel."""
    axes = tuple(range(len(windows.size)))
    mirrored = ops.swapaxes(ops.flip(kernel, axes), -1, -2)
    reach = [(size - 1) * dilation for size, dilation in zip(windows.size, windows.dilation, strict=True)]
    pads = tuple((total - low, total - high) for total, (low, high) in zip(reach, windows.pads, strict=True))
    return _forward(dy, mirrored, Windows(windows.size, windows.strides, windows.dilation, pads))


def _kernel_gradient(x: Any, dy: Any, windows: Windows) -> Any:
    """The sum over blocks of images of patches times `dy`; the long axis is the product's last, which suits Eigen."""
    padded, filters = windows.padded(x), dy.shape[-1]
    n_images, width = dy.shape[0], windows.n_elements * x.shape[-1]
    size = _block_size(n_images, 4 * math.prod(dy.shape[1:-1]) * width)
    n_blocks = n_images // size

    def product(images: Any, rows: Any) -> Any:
        return ops.matmul(ops.transpose(ops.reshape(rows, (-1, filters))), windows.patches(images))

    if n_blocks == 1:
        return ops.transpose(product(padded, dy))
    images = ops.reshape(padded, (n_blocks, size, *padded.shape[1:]))
    rows = ops.reshape(dy, (n_blocks, size, *dy.shape[1:]))
    _, total = ops.while_loop(
        lambda block, _: block < n_blocks,
        lambda block, total: (block + 1, total + product(images[block], rows[block])),
        (ops.convert_to_tensor(0, "int32"), ops.zeros((filters, width), dtype=dy.dtype)),
    )
    return ops.transpose(total)


def _block_size(n_images: int, bytes_per_image: int) -> int:
    """The largest divisor of the number of images whose patches fit; at least 1."""
    fitting = max(1, BLOCK_BYTES // bytes_per_image)
    return max(size for size in range(1, min(fitting, n_images) + 1) if n_images % size == 0)


def _by_planes(x: Any, kernel: Any, windows: Windows) -> Any:
    planes, filters = _planes(x, windows), kernel.shape[-1]
    flat = ops.matmul(ops.transpose(planes), ops.reshape(kernel, (-1, filters)))
    return ops.reshape(flat, (-1, *windows.shape(windows.padded(x)), filters))


def _planes_kernel_gradient(x: Any, dy: Any, windows: Windows) -> Any:
    return ops.matmul(_planes(x, windows), ops.reshape(dy, (-1, dy.shape[-1])))


def _planes(x: Any, windows: Windows) -> Any:
    """What each element of a kernel sees, as one long row: `(elements * channels, batch * windows)`.

    Columns are shifted first; shifting rows is then a slice of consecutive numbers.
    """
    padded = windows.padded(x)
    (height, width), (rows, columns), (down, right) = windows.shape(padded), windows.size, windows.dilation
    shifted = [
        ops.reshape(padded[:, :, j * right : j * right + width, channel], (-1, padded.shape[1] * width))
        for j in range(columns)
        for channel in range(x.shape[-1])
    ]
    planes = [plane[:, i * down * width : (i * down + height) * width] for i in range(rows) for plane in shifted]
    return ops.reshape(ops.stack(planes), (len(planes), -1))


def _product(x: Any, kernel: Any, windows: Windows) -> Any:
    """All patches times the kernel, for windows that are far apart."""
    padded, filters = windows.padded(x), kernel.shape[-1]
    flat = ops.matmul(windows.patches(padded), ops.reshape(kernel, (-1, filters)))
    return ops.reshape(flat, (-1, *windows.shape(padded), filters))
