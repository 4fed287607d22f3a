"""Closed, bounded descriptions of models: one family per file, one explicit table."""

from typing import Annotated, TypeAlias

from pydantic import Field

from search_spaces.models.base import MAX_ACTIVATION, MAX_PARAMETERS, Activation, Description, Shape
from search_spaces.models.convnet import ConvNet
from search_spaces.models.layers import Layers
from search_spaces.models.mlp import MLP
from search_spaces.models.plugin import Plugin
from search_spaces.models.recurrent import Recurrent, rows_shape
from search_spaces.refusal import refusal

__all__ = [
    "MAX_ACTIVATION",
    "MAX_PARAMETERS",
    "MLP",
    "MODEL_FAMILIES",
    "Activation",
    "AnyModel",
    "ConvNet",
    "Description",
    "Layers",
    "ModelSpec",
    "Plugin",
    "Recurrent",
    "check_model",
    "estimate_parameters",
    "rows_shape",
]

AnyModel: TypeAlias = MLP | ConvNet | Recurrent | Layers | Plugin

ModelSpec: TypeAlias = Annotated[AnyModel, Field(discriminator="family")]

MODEL_FAMILIES: dict[str, type[AnyModel]] = {
    "mlp": MLP,
    "convnet": ConvNet,
    "recurrent": Recurrent,
    "layers": Layers,
    "plugin": Plugin,
}


def check_model(model: AnyModel, input_shape: Shape, n_outputs: int) -> None:
    """Refuses a model that does not suit examples of this shape, or is too large for them.

    Args:
        model: The description.
        input_shape: Shape of one example, without the batch axis.
        n_outputs: Width of the last layer.

    Raises:
        PydanticCustomError: The text names the field, what was expected and what came.
    """
    model.check(input_shape)
    n_parameters = model.count_parameters(input_shape, n_outputs)
    if n_parameters is not None and n_parameters > MAX_PARAMETERS:
        raise refusal("model", f"at most {MAX_PARAMETERS:,} parameters", f"{n_parameters:,}")


def estimate_parameters(model: AnyModel, input_shape: Shape, n_outputs: int) -> int | None:
    """Number of weights, computed without building anything; None where only building tells.

    Args:
        model: The description.
        input_shape: Shape of one example that the model suits, without the batch axis.
        n_outputs: Width of the last layer.
    """
    return model.count_parameters(input_shape, n_outputs)
