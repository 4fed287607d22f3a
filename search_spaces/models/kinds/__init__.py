"""The kinds of layers that a list may hold: a closed union, told apart by `kind`."""

from typing import Annotated, TypeAlias, get_args

from pydantic import Field

from search_spaces.models.kinds.base import Layer
from search_spaces.models.kinds.convolutions import Convolution, DepthwiseConvolution, SeparableConvolution
from search_spaces.models.kinds.dense import (
    Activation,
    Dense,
    Embedding,
    Masking,
    MultiHeadAttention,
    Rescaling,
    TimeDistributed,
)
from search_spaces.models.kinds.disturbing import Disturbance, GaussianNoise
from search_spaces.models.kinds.merging import Concatenate, Elementwise
from search_spaces.models.kinds.normalizing import BatchNormalization, GroupNormalization, LayerNormalization
from search_spaces.models.kinds.poolings import GlobalPooling, Pooling
from search_spaces.models.kinds.rearranging import (
    Cropping,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    Rows,
    UpSampling,
    ZeroPadding,
)
from search_spaces.models.kinds.recurrences import Bidirectional, RecurrentLayer

__all__ = ["KINDS", "REARRANGING", "AnyLayer"]

AnyLayer: TypeAlias = (
    Dense
    | TimeDistributed
    | Activation
    | Embedding
    | MultiHeadAttention
    | Masking
    | Rescaling
    | Convolution
    | DepthwiseConvolution
    | SeparableConvolution
    | Pooling
    | GlobalPooling
    | RecurrentLayer
    | Bidirectional
    | BatchNormalization
    | LayerNormalization
    | GroupNormalization
    | Disturbance
    | GaussianNoise
    | Flatten
    | Reshape
    | Rows
    | Permute
    | RepeatVector
    | UpSampling
    | ZeroPadding
    | Cropping
    | Elementwise
    | Concatenate
)

TypedLayer = Annotated[AnyLayer, Field(discriminator="kind")]

KINDS: dict[str, type[Layer]] = {
    kind: layer for layer in get_args(AnyLayer) for kind in get_args(layer.model_fields["kind"].annotation)
}
"""Each kind's description."""

REARRANGING = (Flatten, Reshape, Rows, Permute, RepeatVector)
"""What whole numbers pass through unchanged."""
