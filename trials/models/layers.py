"""A list of typed layers, then logits."""

import warnings
from typing import Any

import keras
from keras import layers

from search_spaces.models.kinds import AnyLayer
from search_spaces.models.kinds.dense import MultiHeadAttention, TimeDistributed
from search_spaces.models.kinds.disturbing import Disturbance, GaussianNoise
from search_spaces.models.kinds.merging import Merge
from search_spaces.models.kinds.rearranging import Rows
from search_spaces.models.kinds.recurrences import Bidirectional
from search_spaces.models.layers import INPUTS, LOGITS, Layers
from search_spaces.models.recurrent import rows_shape
from trials.layers.site import Site

KERAS_LAYERS: dict[str, type[layers.Layer]] = {
    "dense": layers.Dense,
    "activation": layers.Activation,
    "embedding": layers.Embedding,
    "multi_head_attention": layers.MultiHeadAttention,
    "masking": layers.Masking,
    "rescaling": layers.Rescaling,
    "conv1d": layers.Conv1D,
    "conv2d": layers.Conv2D,
    "conv3d": layers.Conv3D,
    "depthwise_conv1d": layers.DepthwiseConv1D,
    "depthwise_conv2d": layers.DepthwiseConv2D,
    "separable_conv1d": layers.SeparableConv1D,
    "separable_conv2d": layers.SeparableConv2D,
    "max_pooling1d": layers.MaxPooling1D,
    "max_pooling2d": layers.MaxPooling2D,
    "max_pooling3d": layers.MaxPooling3D,
    "average_pooling1d": layers.AveragePooling1D,
    "average_pooling2d": layers.AveragePooling2D,
    "average_pooling3d": layers.AveragePooling3D,
    "global_max_pooling1d": layers.GlobalMaxPooling1D,
    "global_max_pooling2d": layers.GlobalMaxPooling2D,
    "global_max_pooling3d": layers.GlobalMaxPooling3D,
    "global_average_pooling1d": layers.GlobalAveragePooling1D,
    "global_average_pooling2d": layers.GlobalAveragePooling2D,
    "global_average_pooling3d": layers.GlobalAveragePooling3D,
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    "simple_rnn": layers.SimpleRNN,
    "batch_normalization": layers.BatchNormalization,
    "layer_normalization": layers.LayerNormalization,
    "group_normalization": layers.GroupNormalization,
    "dropout": layers.Dropout,
    "gaussian_dropout": layers.GaussianDropout,
    "alpha_dropout": layers.AlphaDropout,
    "gaussian_noise": layers.GaussianNoise,
    "flatten": layers.Flatten,
    "reshape": layers.Reshape,
    "permute": layers.Permute,
    "repeat_vector": layers.RepeatVector,
    "up_sampling1d": layers.UpSampling1D,
    "up_sampling2d": layers.UpSampling2D,
    "up_sampling3d": layers.UpSampling3D,
    "zero_padding1d": layers.ZeroPadding1D,
    "zero_padding2d": layers.ZeroPadding2D,
    "zero_padding3d": layers.ZeroPadding3D,
    "cropping1d": layers.Cropping1D,
    "cropping2d": layers.Cropping2D,
    "cropping3d": layers.Cropping3D,
    "add": layers.Add,
    "multiply": layers.Multiply,
    "concatenate": layers.Concatenate,
}
"""Kinds that are one layer of Keras with the same arguments."""

SPATIAL_DROPOUTS = {2: layers.SpatialDropout1D, 3: layers.SpatialDropout2D, 4: layers.SpatialDropout3D}
"""Number of an example's axes to the layer."""


def build_layers(spec: Layers, input_shape: tuple[int, ...], n_outputs: int) -> keras.Model:
    """Builds the network.

    Args:
        spec: The description.
        input_shape: Shape of one example.
        n_outputs: Width of the last layer, which has no activation.
    """
    tensors = {INPUTS: keras.Input(input_shape, name=INPUTS)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not support masking", UserWarning)
        for layer, name, sources in spec.steps():
            tensors[name] = _call(layer, name, [tensors[source] for source in sources])
        last = list(tensors)[-1]
        return keras.Model(tensors[INPUTS], layers.Dense(n_outputs, name=LOGITS)(tensors[last]))


def _call(layer: AnyLayer, name: str, inputs: list[keras.KerasTensor]) -> keras.KerasTensor:
    built = _make(layer, name, tuple(inputs[0].shape[1:]))
    if isinstance(layer, Merge):
        return built(inputs)
    return built(inputs[0], inputs[0]) if isinstance(layer, MultiHeadAttention) else built(inputs[0])


def _make(layer: AnyLayer, name: str, input_shape: tuple[int, ...]) -> layers.Layer:
    if isinstance(layer, Disturbance | GaussianNoise) and layer.is_site:
        return Site(layer.kind, name=name)
    arguments: dict[str, Any] = layer.keras_arguments()
    if isinstance(layer, Bidirectional | TimeDistributed):
        inner = layer.layer.model_dump(exclude={"kind"})
        arguments["layer"] = KERAS_LAYERS[layer.layer.kind](**inner, name=f"{name}_{layer.layer.kind}")
        wrapper = layers.Bidirectional if isinstance(layer, Bidirectional) else layers.TimeDistributed
        return wrapper(**arguments, name=name)
    if isinstance(layer, Rows):
        return layers.Reshape(rows_shape(input_shape), name=name)
    if layer.kind == "spatial_dropout":
        return SPATIAL_DROPOUTS[len(input_shape)](**arguments, name=name)
    return KERAS_LAYERS[layer.kind](**arguments, name=name)
