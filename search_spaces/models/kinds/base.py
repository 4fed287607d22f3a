"""What one layer of the family `layers` can say of itself: its fields, and the shape and weights that follow."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, StrictInt

from search_spaces.models.base import Shape
from search_spaces.places import Place
from search_spaces.refusal import refusal
from search_spaces.values import Value

LayerName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,99}$")]

LayerActivation = Literal[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "hard_silu",
    "mish",
    "softplus",
    "softsign",
    "tanh",
    "sigmoid",
    "hard_sigmoid",
    "softmax",
]

Initializer = Literal[
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "orthogonal"
]

Count = Annotated[StrictInt, Field(ge=1, le=16_384)]
Extent = Annotated[StrictInt, Field(ge=1, le=1024)]
Extents: TypeAlias = Extent | Annotated[tuple[Extent, ...], Field(min_length=1, max_length=3)]
"""One size for all axes, or one per axis."""

Rate = Annotated[float, Field(ge=0, lt=1)]
MAX_AXES = 4


@dataclass(frozen=True)
class Outcome:
    """What a layer makes of its inputs.

    Attributes:
        shape: Shape of its output for one example.
        n_parameters: Its weights, trainable or not.
        n_inner: The most values that it holds inside for one example, beside its output.
    """

    shape: Shape
    n_parameters: int = 0
    n_inner: int = 0


class Layer(Value):
    """One layer. Unless `from` names an earlier one, or `inputs`, it takes what the layer before gives."""

    place: ClassVar[Place | None] = None
    """What it is to regularizers."""

    name: LayerName | None = None
    source: Annotated[LayerName | None, Field(alias="from")] = None

    def sources(self, before: str) -> tuple[str, ...]:
        """Names of the layers whose outputs this one takes.

        Args:
            before: Name of the layer before in the list.
        """
        return (self.source or before,)

    def outcome(self, shape: Shape) -> Outcome:
        """Shape and weights on inputs of this shape.

        Raises:
            PydanticCustomError: It does not suit such inputs; the field is this layer's.
        """
        raise NotImplementedError

    def outcome_of(self, shapes: tuple[Shape, ...]) -> Outcome:
        """Shape and weights on the outputs of all its sources."""
        return self.outcome(shapes[0])

    def keras_arguments(self) -> dict[str, Any]:
        """What the layer of Keras is made with, but its name: here they have Keras' names."""
        return {key: getattr(self, key) for key in type(self).model_fields if key not in {"kind", "name", "source"}}


def rank_of(kind: str) -> int:
    """Number of places' axes of a kind such as `conv2d`."""
    return int(kind[-2])


def need_rank(shape: Shape, kind: str, *n_axes: int) -> None:
    """Refuses inputs that have another number of axes."""
    if len(shape) not in n_axes:
        wanted = " or ".join(str(n) for n in n_axes)
        raise refusal("kind", f"a layer for examples of shape {shape}", f"{kind}, which needs {wanted} axes")


def per_axis(value: Extents, n_axes: int) -> tuple[int, ...]:
    """A size of each axis."""
    return (value,) * n_axes if isinstance(value, int) else value


def check_axes(field: str, value: Extents | None, n_axes: int) -> None:
    """Refuses a list of sizes that is not one for each axis."""
    if isinstance(value, tuple) and len(value) != n_axes:
        msg = f"{field} must be an integer or {n_axes} of them, received {list(value)}"
        raise ValueError(msg)


def slide(
    field: str, places: Shape, window: tuple[int, ...], strides: tuple[int, ...], *, padding: str, dilation: int = 1
) -> Shape:
    """Places that a sliding window gives, counted as Keras counts.

    Raises:
        PydanticCustomError: The window is larger than the inputs.
    """
    if padding != "valid":
        return tuple(math.ceil(n / stride) for n, stride in zip(places, strides, strict=True))
    covered = tuple(dilation * (size - 1) + 1 for size in window)
    if any(n < size for n, size in zip(places, covered, strict=True)):
        raise refusal(field, f"at most {places}, the size of what comes in", f"{covered}")
    return tuple((n - size) // stride + 1 for n, size, stride in zip(places, covered, strides, strict=True))
