"""Fast forms of `Conv1D`, `Conv2D` and `Conv3D`."""

from typing import Any

import keras
from keras import ops

from trials.engine.fast_layers.base import FastForm
from trials.engine.fast_layers.correlation import correlate
from trials.engine.fast_layers.windows import windows_of

MAX_GROUPS = 8
"""A convolution of more groups is left to Keras: each group becomes an operation of its own."""


def fast_convolution(layer: Any) -> keras.layers.Layer | None:
    """The faster form of a convolution, or None where it has none."""
    if layer.data_format != "channels_last" or layer.groups > MAX_GROUPS:
        return None
    return FastConvolution(layer)


class FastConvolution(FastForm):
    """A convolution of any stride, dilation and padding whose gradient is fast too.

    Args:
        inner: The layer whose geometry, kernel, bias and activation it uses.
    """

    def call(self, inputs: Any) -> Any:
        """Shape `(batch, *spatial, channels)` to `(batch, *new_spatial, filters)`."""
        kernel = ops.convert_to_tensor(self.kernel)
        windows = windows_of(self.inner, self.inner.kernel_size, inputs.shape[1:-1])
        if self.inner.rank == 1:
            inputs, kernel = ops.expand_dims(inputs, 1), ops.expand_dims(kernel, 0)
        groups = self.inner.groups
        parts = zip(ops.split(inputs, groups, axis=-1), ops.split(kernel, groups, axis=-1), strict=True)
        outputs = ops.concatenate([correlate(x, w, windows) for x, w in parts], axis=-1)
        return finish(self.inner, outputs)


def finish(layer: Any, outputs: Any) -> Any:
    """Takes back the axis put before a single spatial one; then adds the layer's bias, then its activation."""
    if layer.rank == 1:
        outputs = ops.squeeze(outputs, 1)
    if layer.use_bias:
        outputs = outputs + layer.bias
    return outputs if layer.activation is None else layer.activation(outputs)
