"""Recurrent layers over sequences of steps and features."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import Layer, LayerActivation, Outcome, Rate, need_rank
from search_spaces.models.recurrent import count_cell
from search_spaces.places import Place
from search_spaces.values import Value


class RecurrentArguments(Value):
    """A recurrent layer wherever it stands; `dropout` and `recurrent_dropout` are fixed rates."""

    kind: Literal["lstm", "gru", "simple_rnn"]
    units: Annotated[StrictInt, Field(ge=1, le=2048)]
    activation: LayerActivation = "tanh"
    return_sequences: StrictBool = False
    go_backwards: StrictBool = False
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0

    def cells(self, shape: Shape) -> Outcome:
        """Shape and weights in one direction."""
        need_rank(shape, self.kind, 2)
        steps, features = shape
        given = (steps, self.units) if self.return_sequences else (self.units,)
        return Outcome(given, count_cell(self.kind, features, self.units), steps * 4 * self.units)


class RecurrentLayer(Layer, RecurrentArguments):
    """A recurrent layer; gives its last state, or that of each step with `return_sequences`."""

    place: ClassVar[Place | None] = "recurrent layers"

    kind: Literal["lstm", "gru", "simple_rnn"]

    def outcome(self, shape: Shape) -> Outcome:
        """`units` features, with or without steps."""
        return self.cells(shape)


class Bidirectional(Layer):
    """A recurrent layer forwards and another one backwards."""

    place: ClassVar[Place | None] = "recurrent layers"

    kind: Literal["bidirectional"]
    layer: RecurrentArguments
    merge_mode: Literal["concat", "sum", "mul", "ave"] = "concat"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.layer.go_backwards:
            msg = "go_backwards must be false inside bidirectional, received true"
            raise ValueError(msg)
        return self

    def outcome(self, shape: Shape) -> Outcome:
        """`units` features, or twice as many with `concat`."""
        one = self.layer.cells(shape)
        n_ways = 2 if self.merge_mode == "concat" else 1
        return Outcome((*one.shape[:-1], n_ways * self.layer.units), 2 * one.n_parameters, 2 * one.n_inner)
