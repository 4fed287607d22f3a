"""Closed, bounded descriptions of models. Nothing here is ever handed to Keras' deserialization."""

import math
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StrictBool, StrictInt, model_validator

from search_spaces.values import Value

Activation = Literal["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "leaky_relu", "linear"]

Width = Annotated[StrictInt, Field(ge=1, le=16_384)]


class MLP(Value):
    """Dense hidden layers, then logits; any input shape is flattened first."""

    family: Literal["mlp"] = "mlp"
    hidden_units: Annotated[tuple[Width, ...], Field(min_length=0, max_length=50)] = (128, 128)
    activation: Activation = "relu"


class ConvNet(Value):
    """Convolutions ("same" padding, stride 1), each followed by 2x2 max-pooling, then dense layers, then logits."""

    family: Literal["convnet"] = "convnet"
    filters: Annotated[tuple[Annotated[StrictInt, Field(ge=1, le=1024)], ...], Field(min_length=1, max_length=6)] = (
        16,
        32,
    )
    kernel_size: Annotated[StrictInt, Field(ge=1, le=11)] = 3
    hidden_units: Annotated[tuple[Width, ...], Field(max_length=20)] = (64,)
    activation: Activation = "relu"


class Recurrent(Value):
    """Recurrent layers over a sequence, then dense layers on what the last one ends with, then logits.

    Examples are sequences `(steps, features)`; images of one channel are read row by row. With `embedding` they are
    sequences of whole numbers below `vocabulary`, each turned into a vector of so many learned values; 0 is padding,
    and its steps are skipped.
    """

    family: Literal["recurrent"] = "recurrent"
    cell: Literal["lstm", "gru"] = "lstm"
    units: Annotated[tuple[Annotated[StrictInt, Field(ge=1, le=2048)], ...], Field(min_length=1, max_length=8)] = (64,)
    bidirectional: StrictBool = False
    embedding: Annotated[StrictInt, Field(ge=1, le=1024)] | None = None
    vocabulary: Annotated[StrictInt, Field(ge=2, le=1_000_000)] | None = None
    hidden_units: Annotated[tuple[Width, ...], Field(max_length=20)] = ()
    activation: Activation = "relu"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.embedding is None) != (self.vocabulary is None):
            msg = f"embedding and vocabulary go together, received {self.embedding} and {self.vocabulary}"
            raise ValueError(msg)
        return self


AnyModel: TypeAlias = MLP | ConvNet | Recurrent

ModelSpec: TypeAlias = Annotated[AnyModel, Field(discriminator="family")]

MODEL_FAMILIES: dict[str, type[AnyModel]] = {"mlp": MLP, "convnet": ConvNet, "recurrent": Recurrent}

MAX_PARAMETERS = 200_000_000


def estimate_parameters(model: AnyModel, input_shape: tuple[int, ...], n_outputs: int) -> int:
    """Number of trainable parameters, computed without building anything.

    Args:
        model: The description.
        input_shape: Shape of one example, without the batch axis.
        n_outputs: Width of the last layer.
    """
    match model:
        case ConvNet():
            total, features = _convolutions(model, input_shape)
        case Recurrent():
            total, features = _recurrent_layers(model, input_shape)
        case MLP():
            total, features = 0, math.prod(input_shape)
    for units in (*model.hidden_units, n_outputs):
        total += (features + 1) * units
        features = units
    return total


def rows_shape(input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """An example's shape as a sequence: an image of one channel is the sequence of its rows."""
    return input_shape[:2] if len(input_shape) == 3 and input_shape[2] == 1 else input_shape


def _convolutions(model: ConvNet, input_shape: tuple[int, ...]) -> tuple[int, int]:
    """Parameters of the convolutions, and the number of features that come out."""
    total = 0
    height, width, channels = (*input_shape, 1)[:3] if len(input_shape) < 3 else input_shape
    for filters in model.filters:
        total += (model.kernel_size**2 * channels + 1) * filters
        height, width, channels = max(height // 2, 1), max(width // 2, 1), filters
    return total, height * width * channels


def _recurrent_layers(model: Recurrent, input_shape: tuple[int, ...]) -> tuple[int, int]:
    """Parameters of embedding and recurrent layers, and the number of features that come out."""
    total, features = 0, rows_shape(input_shape)[-1]
    if model.embedding is not None and model.vocabulary is not None:
        total, features = model.vocabulary * model.embedding, model.embedding
    n_gates, n_biases = (4, 1) if model.cell == "lstm" else (3, 2)
    n_ways = 2 if model.bidirectional else 1
    for units in model.units:
        total += n_ways * n_gates * units * (features + units + n_biases)
        features = n_ways * units
    return total, features
