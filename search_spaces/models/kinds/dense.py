"""Dense layers, activations, embeddings and attention."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, StrictInt

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import Count, Extent, Initializer, Layer, LayerActivation, Outcome, Rate, need_rank
from search_spaces.places import Place
from search_spaces.refusal import refusal
from search_spaces.values import Value


class DenseArguments(Value):
    """A dense layer wherever it stands."""

    kind: Literal["dense"]
    units: Count
    activation: LayerActivation = "linear"
    use_bias: StrictBool = True
    kernel_initializer: Initializer = "glorot_uniform"

    def n_parameters(self, features: int) -> int:
        """Its weights."""
        return (features + self.use_bias) * self.units


class Dense(Layer, DenseArguments):
    """A dense layer on the last axis."""

    place: ClassVar[Place | None] = "dense layers"

    kind: Literal["dense"]

    def outcome(self, shape: Shape) -> Outcome:
        """The last axis becomes `units`."""
        return Outcome((*shape[:-1], self.units), self.n_parameters(shape[-1]))


class TimeDistributed(Layer):
    """A dense layer at every step of a sequence."""

    place: ClassVar[Place | None] = "dense layers"

    kind: Literal["time_distributed"]
    layer: DenseArguments

    def outcome(self, shape: Shape) -> Outcome:
        """The features become `units`."""
        need_rank(shape, self.kind, 2)
        return Outcome((shape[0], self.layer.units), self.layer.n_parameters(shape[1]))


class Activation(Layer):
    """An activation of its own."""

    kind: Literal["activation"]
    activation: LayerActivation

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        return Outcome(shape)


class Embedding(Layer):
    """A learned vector for each whole number below `input_dim`; takes the model's inputs, rearranged or not.

    With `mask_zero` 0 is padding, and layers that know masks skip its steps.
    """

    place: ClassVar[Place | None] = "an embedding"

    kind: Literal["embedding"]
    input_dim: Annotated[StrictInt, Field(ge=2, le=1_000_000)]
    output_dim: Extent
    mask_zero: StrictBool = False

    def outcome(self, shape: Shape) -> Outcome:
        """One axis more."""
        if len(shape) > 3:
            need_rank(shape, self.kind, 1, 2, 3)
        if self.mask_zero and len(shape) != 1:
            raise refusal("mask_zero", f"false for examples of shape {shape}", "true, which needs sequences of numbers")
        return Outcome((*shape, self.output_dim), self.input_dim * self.output_dim)


class MultiHeadAttention(Layer):
    """A sequence's attention to itself; fixed `dropout` on the attention."""

    kind: Literal["multi_head_attention"]
    num_heads: Annotated[StrictInt, Field(ge=1, le=64)]
    key_dim: Extent
    dropout: Rate = 0.0

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        need_rank(shape, self.kind, 2)
        steps, features = shape
        inner = self.num_heads * self.key_dim
        n_parameters = 3 * (features + 1) * inner + (inner + 1) * features
        return Outcome(shape, n_parameters, max(self.num_heads * steps**2, steps * inner))


class Masking(Layer):
    """Steps of a sequence whose features all equal `mask_value` are skipped by layers that know masks."""

    kind: Literal["masking"]
    mask_value: float = 0.0

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        need_rank(shape, self.kind, 2)
        return Outcome(shape)


class Rescaling(Layer):
    """Inputs times `scale`, plus `offset`."""

    kind: Literal["rescaling"]
    scale: float
    offset: float = 0.0

    def outcome(self, shape: Shape) -> Outcome:
        """The shape that came in."""
        return Outcome(shape)
