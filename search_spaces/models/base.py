"""What all descriptions of models have in common. Nothing of them is ever handed to Keras' deserialization."""

import math
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictInt

from search_spaces.places import Place
from search_spaces.refusal import refusal
from search_spaces.values import Value

Shape: TypeAlias = tuple[int, ...]
"""Shape of one example, without the batch axis."""

Activation = Literal["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "leaky_relu", "linear"]

Width = Annotated[StrictInt, Field(ge=1, le=16_384)]

MAX_PARAMETERS = 200_000_000

MAX_ACTIVATION = 16 * 2**20
"""Numbers that any one layer may hold for one example."""


class Description(Value):
    """A closed, bounded description of a model."""

    @property
    def n_words(self) -> int | None:
        """Size of the vocabulary where examples are sequences of whole numbers, else None."""
        return None

    @property
    def has_recurrence(self) -> bool:
        """Whether there are layers that recurrent dropout can act on."""
        return False

    @property
    def places(self) -> frozenset[Place] | None:
        """Where regularizers can act; None where only building tells."""
        return frozenset()

    @property
    def marked(self) -> frozenset[str]:
        """The regularizers whose places are marked in it, and that have them there and nowhere else."""
        return frozenset()

    def check(self, input_shape: Shape) -> None:
        """Refuses examples that the model does not suit.

        Raises:
            PydanticCustomError: The text names the field, what was expected and what came.
        """

    def count_parameters(self, input_shape: Shape, n_outputs: int) -> int | None:
        """Number of weights, computed without building anything; None where only building tells.

        Args:
            input_shape: Shape of one example that the model suits.
            n_outputs: Width of the last layer.
        """
        raise NotImplementedError


def check_activation(field: str, shape: Shape) -> None:
    """Refuses a layer whose values for one example would be too many."""
    if math.prod(shape) > MAX_ACTIVATION:
        raise refusal(field, f"at most {MAX_ACTIVATION:,} values per example", f"{math.prod(shape):,}, shape {shape}")


def count_dense(features: int, units: tuple[int, ...]) -> int:
    """Weights of dense layers one after the other."""
    widths = (features, *units)
    return sum((width + 1) * following for width, following in pairwise(widths))
