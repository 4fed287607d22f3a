"""Layers without weights that move, repeat, pad or cut values."""

import math
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, StrictInt, model_validator

from search_spaces.models.base import Shape
from search_spaces.models.kinds.base import MAX_AXES, Count, Extents, Layer, Outcome, need_rank, per_axis, rank_of
from search_spaces.models.recurrent import rows_shape
from search_spaces.refusal import refusal

Margin = Annotated[StrictInt, Field(ge=0, le=1024)]
Margins: TypeAlias = Margin | Annotated[tuple[Margin | tuple[Margin, Margin], ...], Field(min_length=1, max_length=3)]
"""One number for all sides, or for each axis a number or a pair."""


class Flatten(Layer):
    """All axes as one."""

    kind: Literal["flatten"]

    def outcome(self, shape: Shape) -> Outcome:
        """One axis."""
        return Outcome((math.prod(shape),))


class Reshape(Layer):
    """The same values in another shape; one size may be -1 for what remains."""

    kind: Literal["reshape"]
    target_shape: Annotated[
        tuple[Annotated[StrictInt, Field(ge=-1, le=2**24)], ...], Field(min_length=1, max_length=MAX_AXES)
    ]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if 0 in self.target_shape or self.target_shape.count(-1) > 1:
            msg = f"target_shape must be positive integers with at most one -1, received {list(self.target_shape)}"
            raise ValueError(msg)
        return self

    def outcome(self, shape: Shape) -> Outcome:
        """The shape asked for."""
        total, known = math.prod(shape), math.prod(size for size in self.target_shape if size > 0)
        if total % known or (total != known and -1 not in self.target_shape):
            raise refusal("target_shape", f"{total:,} values, those of shape {shape}", f"{list(self.target_shape)}")
        return Outcome(tuple(total // known if size == -1 else size for size in self.target_shape))


class Rows(Layer):
    """An image of one channel as the sequence of its rows."""

    kind: Literal["rows"]

    def outcome(self, shape: Shape) -> Outcome:
        """Two axes."""
        rows = rows_shape(shape)
        if len(rows) != 2:
            raise refusal("kind", f"a layer for examples of shape {shape}", "rows, which needs images of one channel")
        return Outcome(rows)


class Permute(Layer):
    """The axes in another order; the first one is 1."""

    kind: Literal["permute"]
    dims: Annotated[
        tuple[Annotated[StrictInt, Field(ge=1, le=MAX_AXES)], ...], Field(min_length=1, max_length=MAX_AXES)
    ]

    def outcome(self, shape: Shape) -> Outcome:
        """The axes in that order."""
        if sorted(self.dims) != list(range(1, len(shape) + 1)):
            raise refusal("dims", f"each of 1 to {len(shape)} once, for shape {shape}", f"{list(self.dims)}")
        return Outcome(tuple(shape[axis - 1] for axis in self.dims))


class RepeatVector(Layer):
    """A vector as each of `n` steps."""

    kind: Literal["repeat_vector"]
    n: Count

    def outcome(self, shape: Shape) -> Outcome:
        """One axis more."""
        need_rank(shape, self.kind, 1)
        return Outcome((self.n, *shape))


class Resizing(Layer):
    """Layers that change how many places each axis has, by what the field `amounts` says of each."""

    amounts: ClassVar[str]
    kind: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        amounts, rank = getattr(self, self.amounts), rank_of(self.kind)
        if isinstance(amounts, tuple) and len(amounts) != rank:
            msg = f"{self.amounts} must be one number or one for each of {rank} axes, received {len(amounts)}"
            raise ValueError(msg)
        return self

    def per_axis(self) -> tuple[Any, ...]:
        """What is done to each axis."""
        return per_axis(getattr(self, self.amounts), rank_of(self.kind))

    def resized(self, places: Shape) -> Shape:
        """How many places there are afterwards."""
        raise NotImplementedError

    def outcome(self, shape: Shape) -> Outcome:
        """Other places, the same channels."""
        need_rank(shape, self.kind, rank_of(self.kind) + 1)
        return Outcome((*self.resized(shape[:-1]), shape[-1]))

    def keras_arguments(self) -> dict[str, Any]:
        """One for each axis; not in a list where there is one axis."""
        amounts = self.per_axis()
        return {self.amounts: amounts[0] if len(amounts) == 1 else amounts}


class UpSampling(Resizing):
    """Each place repeated `size` times along each axis."""

    amounts: ClassVar[str] = "size"
    kind: Literal["up_sampling1d", "up_sampling2d", "up_sampling3d"]
    size: Extents = 2

    def resized(self, places: Shape) -> Shape:
        """More."""
        return tuple(n * size for n, size in zip(places, self.per_axis(), strict=True))


class Margined(Resizing):
    """Those that say it by a number or a pair for the two ends of each axis."""

    def per_axis(self) -> tuple[tuple[int, int], ...]:
        """A pair for each."""
        return tuple((ends, ends) if isinstance(ends, int) else ends for ends in super().per_axis())


class ZeroPadding(Margined):
    """Zeros put around the places."""

    amounts: ClassVar[str] = "padding"
    kind: Literal["zero_padding1d", "zero_padding2d", "zero_padding3d"]
    padding: Margins = 1

    def resized(self, places: Shape) -> Shape:
        """More."""
        return tuple(n + sum(ends) for n, ends in zip(places, self.per_axis(), strict=True))


class Cropping(Margined):
    """Places cut off at the sides."""

    amounts: ClassVar[str] = "cropping"
    kind: Literal["cropping1d", "cropping2d", "cropping3d"]
    cropping: Margins = 1

    def resized(self, places: Shape) -> Shape:
        """Fewer."""
        cut = tuple(map(sum, self.per_axis()))
        if any(n <= off for n, off in zip(places, cut, strict=True)):
            raise refusal("cropping", f"less in all than {places}, what comes in", f"{cut}")
        return tuple(n - off for n, off in zip(places, cut, strict=True))
