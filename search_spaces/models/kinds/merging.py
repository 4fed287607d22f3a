"""Layers that take several others: `from` names one beside the layer before, or lists all of them."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import MAX_AXES, Layer, LayerName, Outcome
from search_spaces.refusal import refusal

MAX_SOURCES = 32


class Merge(Layer):
    """What merging layers have in common."""

    source: Annotated[  # type: ignore[assignment]  # one name or several where other layers have one or none
        LayerName | Annotated[tuple[LayerName, ...], Field(min_length=2, max_length=MAX_SOURCES)], Field(alias="from")
    ]

    def sources(self, before: str) -> tuple[str, ...]:
        """The layers named; the layer before too where only one is."""
        return (before, self.source) if isinstance(self.source, str) else self.source


class Elementwise(Merge):
    """The sum or the product of layers of one shape, or of shapes that differ in axes of size 1."""

    kind: Literal["add", "multiply"]

    def outcome_of(self, shapes: tuple[Shape, ...]) -> Outcome:
        """The common shape."""
        same_rank = len({len(shape) for shape in shapes}) == 1
        if not same_rank or any(len(set(sizes) - {1}) > 1 for sizes in zip(*shapes, strict=True)):
            raise refusal("from", "layers of equal shapes", " and ".join(map(str, shapes)))
        return Outcome(tuple(map(max, zip(*shapes, strict=True))))


class Concatenate(Merge):
    """Layers side by side along `axis`; the first axis of an example is 1, the last -1."""

    kind: Literal["concatenate"]
    axis: Annotated[StrictInt, Field(ge=-MAX_AXES, le=MAX_AXES)] = -1

    def outcome_of(self, shapes: tuple[Shape, ...]) -> Outcome:
        """The shapes' sum along the axis."""
        n_axes = len(shapes[0])
        if self.axis == 0 or not -n_axes <= self.axis <= n_axes:
            raise refusal("axis", f"1 to {n_axes}, or -1 to {-n_axes}", f"{self.axis}")
        place = self.axis - 1 if self.axis > 0 else self.axis % n_axes
        others = {shape[:place] + shape[place + 1 :] if len(shape) == n_axes else shape for shape in shapes}
        if len({len(shape) for shape in shapes}) > 1 or len(others) > 1:
            expected = f"layers of shapes that are equal but along axis {self.axis}"
            raise refusal("from", expected, " and ".join(map(str, shapes)))
        size = sum(shape[place] for shape in shapes)
        return Outcome((*shapes[0][:place], size, *shapes[0][place + 1 :]))
