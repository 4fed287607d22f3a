"""Recurrent layers over sequences."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from search_spaces.models.base import Activation, Description, Shape, Width, count_dense
from search_spaces.places import Place
from search_spaces.refusal import refusal


class Recurrent(Description):
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
    def _check_embedding(self) -> Self:
        if (self.embedding is None) != (self.vocabulary is None):
            msg = f"embedding and vocabulary go together, received {self.embedding} and {self.vocabulary}"
            raise ValueError(msg)
        return self

    @property
    def n_words(self) -> int | None:
        """The vocabulary."""
        return self.vocabulary

    @property
    def has_recurrence(self) -> bool:
        """True."""
        return True

    @property
    def places(self) -> frozenset[Place]:
        """The recurrent layers; hidden layers and the embedding where there are any."""
        found: set[Place] = {"recurrent layers"}
        if self.hidden_units:
            found.add("dense layers")
        if self.embedding is not None:
            found.add("an embedding")
        return frozenset(found)

    def check(self, input_shape: Shape) -> None:
        """Refuses what is no sequence, or no sequence of numbers where they are embedded."""
        n_axes = len(rows_shape(input_shape))
        if self.embedding is None and n_axes != 2:
            raise refusal(
                "model.family",
                f"mlp for examples of shape {input_shape}",
                "recurrent, which needs sequences (steps, features)",
            )
        if self.embedding is not None and n_axes != 1:
            raise refusal(
                "model.embedding",
                f"nothing for examples of shape {input_shape}",
                "a width, which needs sequences of numbers",
            )

    def count_parameters(self, input_shape: Shape, n_outputs: int) -> int:
        """Number of weights."""
        total, features = 0, rows_shape(input_shape)[-1]
        if self.embedding is not None and self.vocabulary is not None:
            total, features = self.vocabulary * self.embedding, self.embedding
        n_ways = 2 if self.bidirectional else 1
        for units in self.units:
            total += n_ways * count_cell(self.cell, features, units)
            features = n_ways * units
        return total + count_dense(features, (*self.hidden_units, n_outputs))


def rows_shape(input_shape: Shape) -> Shape:
    """An example's shape as a sequence: an image of one channel is the sequence of its rows."""
    return input_shape[:2] if len(input_shape) == 3 and input_shape[2] == 1 else input_shape


def count_cell(cell: Literal["lstm", "gru", "simple_rnn"], features: int, units: int) -> int:
    """Weights of one recurrent layer in one direction."""
    n_gates, n_biases = {"lstm": (4, 1), "gru": (3, 2), "simple_rnn": (1, 1)}[cell]
    return n_gates * units * (features + units + n_biases)
