"""Blocks of convolutions with pooling, dense hidden layers, then logits."""

import keras

from search_spaces.models import ConvNet
from trials.layers.site import Site
from trials.models.head import finish


def build_convnet(spec: ConvNet, input_shape: tuple[int, ...], n_outputs: int) -> keras.Model:
    """Builds the network.

    Args:
        spec: The description.
        input_shape: Shape of one image: height, width, channels.
        n_outputs: Width of the last layer, which has no activation.
    """
    inputs = x = keras.Input(input_shape, name="inputs")
    for number, channels in enumerate(spec.channels, start=1):
        block = _residual_block if spec.residual else _block
        x = keras.layers.MaxPooling2D(2, name=f"pool_{number}")(block(spec, x, number, channels))
    features = keras.layers.Flatten(name="flatten")(x)
    return finish(inputs, features, spec.hidden_units, spec.activation, n_outputs)


def _block(spec: ConvNet, x: keras.KerasTensor, number: int, channels: int) -> keras.KerasTensor:
    for place in range(1, spec.convolutions_per_block + 1):
        x = _convolution(spec, number, place, channels, spec.activation)(x)
    return x


def _residual_block(spec: ConvNet, x: keras.KerasTensor, number: int, channels: int) -> keras.KerasTensor:
    shortcut, branch = x, x
    for place in range(1, spec.convolutions_per_block + 1):
        is_last = place == spec.convolutions_per_block
        branch = _convolution(spec, number, place, channels, "linear" if is_last else spec.activation)(branch)
    branch = Site("stochastic_depth", name=f"block_{number}_branch")(branch)
    if x.shape[-1] != channels:
        shortcut = keras.layers.Conv2D(channels, 1, name=f"block_{number}_projection")(shortcut)
    x = keras.layers.Add(name=f"block_{number}_add")([shortcut, branch])
    return keras.layers.Activation(spec.activation, name=f"block_{number}_activation")(x)


def _convolution(spec: ConvNet, number: int, place: int, channels: int, activation: str) -> keras.layers.Layer:
    name = f"conv_{number}" if spec.convolutions_per_block == 1 else f"conv_{number}_{place}"
    return keras.layers.Conv2D(channels, spec.kernel_size, padding="same", activation=activation, name=name)
