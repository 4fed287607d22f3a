"""Dense hidden layers."""

import math
from typing import Annotated, Literal

from pydantic import Field

from search_spaces.models.base import Activation, Description, Shape, Width, count_dense
from search_spaces.places import Place


class MLP(Description):
    """Dense hidden layers, then logits; any input shape is flattened first."""

    family: Literal["mlp"] = "mlp"
    hidden_units: Annotated[tuple[Width, ...], Field(min_length=0, max_length=50)] = (128, 128)
    activation: Activation = "relu"

    @property
    def places(self) -> frozenset[Place]:
        """The hidden layers."""
        return frozenset({"dense layers"} if self.hidden_units else ())

    def count_parameters(self, input_shape: Shape, n_outputs: int) -> int:
        """Number of weights."""
        return count_dense(math.prod(input_shape), (*self.hidden_units, n_outputs))
