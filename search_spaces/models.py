"""Closed, bounded descriptions of models. Nothing here is ever handed to Keras' deserialization."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictInt

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


ModelSpec: TypeAlias = Annotated[MLP | ConvNet, Field(discriminator="family")]

MODEL_FAMILIES: dict[str, type[MLP | ConvNet]] = {"mlp": MLP, "convnet": ConvNet}

MAX_PARAMETERS = 200_000_000


def estimate_parameters(model: MLP | ConvNet, input_shape: tuple[int, ...], n_outputs: int) -> int:
    """Number of trainable parameters, computed without building anything.

    Args:
        model: The description.
        input_shape: Shape of one example, without the batch axis.
        n_outputs: Width of the last layer.
    """
    total = 0
    if isinstance(model, ConvNet):
        height, width, channels = (*input_shape, 1)[:3] if len(input_shape) < 3 else input_shape
        for filters in model.filters:
            total += (model.kernel_size**2 * channels + 1) * filters
            height, width, channels = max(height // 2, 1), max(width // 2, 1), filters
        features = height * width * channels
    else:
        features = 1
        for size in input_shape:
            features *= size
    for units in (*model.hidden_units, n_outputs):
        total += (features + 1) * units
        features = units
    return total
