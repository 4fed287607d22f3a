"""Layers without weights that move, repeat, pad or cut values."""

import math
from typing import Annotated, Any, Literal, Self, TypeAlias

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


class UpSampling(Layer):
    """Each place repeated `size` times along each axis."""

    kind: Literal["up_sampling1d", "up_sampling2d", "up_sampling3d"]
    size: Extents = 2

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_sides("size", self.size, rank_of(self.kind))
        return self

    def outcome(self, shape: Shape) -> Outcome:
        """More places."""
        rank = rank_of(self.kind)
        need_rank(shape, self.kind, rank + 1)
        sizes = per_axis(self.size, rank)
        return Outcome((*(n * size for n, size in zip(shape, sizes, strict=False)), shape[-1]))

    def keras_arguments(self) -> dict[str, Any]:
        """One number where there is one axis."""
        sizes = per_axis(self.size, rank_of(self.kind))
        return {"size": sizes[0] if len(sizes) == 1 else sizes}


class ZeroPadding(Layer):
    """Zeros put around the places."""

    kind: Literal["zero_padding1d", "zero_padding2d", "zero_padding3d"]
    padding: Margins = 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_sides("padding", self.padding, rank_of(self.kind))
        return self

    def outcome(self, shape: Shape) -> Outcome:
        """More places."""
        rank = rank_of(self.kind)
        need_rank(shape, self.kind, rank + 1)
        sides = _sides(self.padding, rank)
        return Outcome((*(n + sum(side) for n, side in zip(shape, sides, strict=False)), shape[-1]))

    def keras_arguments(self) -> dict[str, Any]:
        """A pair for each axis, or one pair."""
        sides = _sides(self.padding, rank_of(self.kind))
        return {"padding": sides[0] if len(sides) == 1 else sides}


class Cropping(Layer):
    """Places cut off at the sides."""

    kind: Literal["cropping1d", "cropping2d", "cropping3d"]
    cropping: Margins = 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_sides("cropping", self.cropping, rank_of(self.kind))
        return self

    def outcome(self, shape: Shape) -> Outcome:
        """Fewer places."""
        rank = rank_of(self.kind)
        need_rank(shape, self.kind, rank + 1)
        cut = tuple(map(sum, _sides(self.cropping, rank)))
        if any(n <= off for n, off in zip(shape, cut, strict=False)):
            raise refusal("cropping", f"less in all than {shape[:-1]}, what comes in", f"{cut}")
        return Outcome((*(n - off for n, off in zip(shape, cut, strict=False)), shape[-1]))

    def keras_arguments(self) -> dict[str, Any]:
        """A pair for each axis, or one pair."""
        sides = _sides(self.cropping, rank_of(self.kind))
        return {"cropping": sides[0] if len(sides) == 1 else sides}


def _sides(margins: Margins, rank: int) -> tuple[tuple[int, int], ...]:
    axes = (margins,) * rank if isinstance(margins, int) else margins
    return tuple((axis, axis) if isinstance(axis, int) else axis for axis in axes)


def _check_sides(field: str, margins: Margins | Extents, rank: int) -> None:
    if isinstance(margins, tuple) and len(margins) != rank:
        msg = f"{field} must be one number or one for each of {rank} axes, received {len(margins)}"
        raise ValueError(msg)
