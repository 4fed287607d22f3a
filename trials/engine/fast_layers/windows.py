"""Where the windows of a convolution or pooling lie, and what each of their elements sees."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from keras import ops

Padding = Literal["valid", "same", "causal"]


@dataclass(frozen=True)
class Windows:
    """Windows over the spatial axes of channels-last arrays `(batch, *spatial, channels)`.

    Attributes:
        size: Elements of a window along each axis.
        strides: Distance of neighbouring windows.
        dilation: Distance of neighbouring elements of a window.
        pads: Elements put before and after each axis.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]

    @property
    def n_elements(self) -> int:
        """Elements of one window."""
        return math.prod(self.size)

    @property
    def dense(self) -> bool:
        """Whether a window begins at every position."""
        return set(self.strides) == {1}

    def padded(self, x: Any, value: float = 0.0) -> Any:
        """The array with its padding."""
        if not any(map(any, self.pads)):
            return x
        return ops.pad(x, [[0, 0], *map(list, self.pads), [0, 0]], constant_values=value)

    def shape(self, padded: Any) -> tuple[int, ...]:
        """Windows along each axis of a padded array."""
        sizes = zip(padded.shape[1:-1], self.size, self.dilation, self.strides, strict=True)
        return tuple((length - (size - 1) * dilation - 1) // stride + 1 for length, size, dilation, stride in sizes)

    def slices(self, padded: Any) -> list[tuple[slice, ...]]:
        """For each element of a window, in row-major order, where all windows have it in a padded array."""
        shape = self.shape(padded)
        axes = [
            [slice(i * d, i * d + (n - 1) * s + 1, s) for i in range(size)]
            for size, d, s, n in zip(self.size, self.dilation, self.strides, shape, strict=True)
        ]
        return [(slice(None), *where) for where in itertools.product(*axes)]

    def views(self, padded: Any) -> list[Any]:
        """For each element of a window, in row-major order, what the windows have: `(batch, *windows, channels)`."""
        return [padded[where] for where in self.slices(padded)]

    def patches(self, padded: Any) -> Any:
        """All windows as rows, `(batch * windows, elements * channels)`."""
        rows = ops.concatenate(self.views(padded), axis=-1)
        return ops.reshape(rows, (-1, rows.shape[-1]))


def windows_of(layer: Any, size: Sequence[int], spatial: Sequence[int]) -> Windows:
    """The windows of a Keras layer.

    Args:
        layer: A convolution or pooling of one, two or three spatial axes; those of one get a first axis of length 1.
        size: Its kernel or pool size.
        spatial: Lengths of the spatial axes of its input.
    """
    rank = len(size)
    strides = _per_axis(layer.strides, rank)
    dilation = _per_axis(getattr(layer, "dilation_rate", 1), rank)
    axes = zip(spatial, size, strides, dilation, strict=True)
    pads = [_pads(layer.padding, length, (n - 1) * d + 1, stride) for length, n, stride, d in axes]
    first = 1 if rank == 1 else 0
    return Windows(
        (1,) * first + tuple(size), (1,) * first + strides, (1,) * first + dilation, ((0, 0),) * first + (*pads,)
    )


def _pads(padding: Padding, length: int, reach: int, stride: int) -> tuple[int, int]:
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach - 1, 0
    total = max((math.ceil(length / stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def _per_axis(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)
