"""Fast forms of poolings: elementwise operations on what each element of a window sees."""

import itertools
import math
from functools import reduce
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from trials.engine.fast_layers.base import FastForm
from trials.engine.fast_layers.windows import Windows, windows_of

MAX_POOLINGS = (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D, keras.layers.MaxPooling3D)

MAX_ELEMENTS = 32
"""A pooling over larger windows is left to Keras: each element becomes an operation of its own."""


def fast_pooling(layer: Any) -> keras.layers.Layer | None:
    """The faster form of a pooling, or None where it has none."""
    if layer.data_format != "channels_last" or np.prod(layer.pool_size) > MAX_ELEMENTS:
        return None
    return FastPooling(layer)


class FastPooling(FastForm):
    """Maximum or average pooling of any stride and padding.

    The gradient of a maximum goes to the first element that has it, as Keras' does.

    Args:
        inner: The layer whose geometry it uses.
    """

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, *spatial, channels)` to `(batch, *new_spatial, channels)`."""
        rank = len(self.inner.pool_size)
        windows = windows_of(self.inner, self.inner.pool_size, inputs.shape[1:-1])
        x = ops.expand_dims(inputs, 1) if rank == 1 else inputs
        outputs = maximum(x, windows) if isinstance(self.inner, MAX_POOLINGS) else average(x, windows)
        return ops.squeeze(outputs, 1) if rank == 1 else outputs


def maximum(x: Any, windows: Windows) -> Any:
    """Maximum of each window's elements."""

    @ops.custom_gradient  # type: ignore[untyped-decorator]  # keras ships no types
    def pooled(x: Any) -> tuple[Any, Any]:
        views = windows.views(windows.padded(x, float("-inf")))

        def gradient(*args: Any, upstream: Any = None) -> Any:
            dy = args[0] if upstream is None else upstream
            first = _first_maximum(views)
            return _to_inputs(windows, x.shape, [(first, -1), (dy, 0.0)], lambda k, first, dy: _where(first == k, dy))

        return reduce(ops.maximum, views), gradient

    return pooled(x)


def average(x: Any, windows: Windows) -> Any:
    """Mean of each window's elements, padding left out."""
    ones = np.pad(np.ones((1, *x.shape[1:-1], 1), np.float32), ((0, 0), *windows.pads, (0, 0)))
    counts = sum(windows.views(ones))

    @ops.custom_gradient  # type: ignore[untyped-decorator]  # keras ships no types
    def pooled(x: Any) -> tuple[Any, Any]:
        weights = ops.cast(ops.convert_to_tensor(1 / counts), x.dtype)

        def gradient(*args: Any, upstream: Any = None) -> Any:
            dy = (args[0] if upstream is None else upstream) * weights
            return _to_inputs(windows, x.shape, [(dy, 0.0)], lambda k, dy: _where(k >= 0, dy))

        return reduce(ops.add, windows.views(windows.padded(x))) * weights, gradient

    return pooled(x)


def _where(condition: Any, values: Any) -> Any:
    return ops.where(condition, values, ops.zeros_like(values))


def _first_maximum(views: list[Any]) -> Any:
    """Number of the first element of each window that has the maximum; int32."""
    highest, number = views[0], ops.zeros_like(views[0], dtype="int32")
    for i, view in enumerate(views[1:], start=1):
        higher = view > highest
        highest, number = ops.where(higher, view, highest), ops.where(higher, i, number)
    return number


def _to_inputs(windows: Windows, shape: tuple[int, ...], arrays: list[tuple[Any, float]], share: Any) -> Any:
    """For each element of the input, the sum of its shares in the windows that have it.

    With the padded input cut into cells as long as the strides, the windows that have an element begin in its own cell
    or a few before: each such distance is one elementwise operation, and nothing is scattered.

    Args:
        windows: The windows.
        shape: Shape of the input.
        arrays: Arrays with an entry for each window, each with what it holds where no window is.
        share: From the number that an element has in the window (-1 for none) and the window's entries in the arrays.
    """
    axes = list(zip(shape[1:-1], windows.pads, windows.size, windows.strides, strict=True))
    cells = [math.ceil((low + length + high) / stride) for length, (low, high), _, stride in axes]
    reach = [math.ceil(size / stride) for *_, size, stride in axes]
    n_windows = arrays[0][0].shape[1:-1]
    pads = [[0, 0], *([r - 1, c - n] for r, c, n in zip(reach, cells, n_windows, strict=True)), [0, 0]]
    padded = [ops.pad(array, pads, constant_values=nothing) for array, nothing in arrays]
    shares = []
    for distance in itertools.product(*map(range, reach)):
        where = [slice(r - 1 - d, r - 1 - d + c) for r, d, c in zip(reach, distance, cells, strict=True)]
        entries = [_repeat(array[(slice(None), *where)], windows.strides) for array in padded]
        shares.append(share(np.tile(_numbers(windows, distance), (1, *cells, 1)), *entries))
    return reduce(ops.add, shares)[(slice(None), *(slice(low, low + length) for length, (low, _), *_ in axes))]


def _repeat(cells: Any, times: tuple[int, ...]) -> Any:
    """Each cell's entry at each of its places."""
    for axis, n in enumerate(times, start=1):
        cells = ops.repeat(cells, n, axis=axis)
    return cells


def _numbers(windows: Windows, distance: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Number in its window of each place of a cell, for the window so many cells before; -1 where it is not in it."""
    axes = [s * d + np.arange(s) for s, d in zip(windows.strides, distance, strict=True)]
    places = np.meshgrid(*axes, indexing="ij")
    inside = np.all([p < n for p, n in zip(places, windows.size, strict=True)], axis=0)
    numbers = np.where(inside, np.ravel_multi_index(places, windows.size, mode="clip"), -1)
    return numbers.reshape((1, *windows.strides, 1)).astype(np.int32)
