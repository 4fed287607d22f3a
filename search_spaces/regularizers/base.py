"""What every regularizer's description has in common."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import StrictBool

from search_spaces.places import HIDDEN, Place
from search_spaces.ranges import Choices, Fixed, Grid, Interval, Knob
from search_spaces.values import Point, Scalar, Value

AskedRange = Fixed | Grid | Choices | Interval

HIDDEN_SITES = Knob(kind="category", words=("dense", "convolution", "both"), role="structural", strength=False)
"""The hidden layers at which a regularizer acts; a field of this knob is called `sites`."""


class RegularizerSpec(Value):
    """One regularizer as asked for in a study: a range for each knob, and whether "off" is a point of its own.

    A subclass declares each knob as a field `Annotated[Range, Knob(...)]`. The first knob is the dose.

    Attributes:
        summary: What it does, in a few words.
        needs_images: Whether it only makes sense for images (height, width, channels).
        blends_examples: Whether it makes no sense for whole numbers that a model embeds.
        places: Kinds of places of which a model must have one; empty where any model will do.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    needs_images: ClassVar[bool] = False
    blends_examples: ClassVar[bool] = False
    places: ClassVar[tuple[Place, ...]] = ()

    optional: StrictBool = False

    @classmethod
    def knobs(cls) -> dict[str, Knob]:
        """Knob name to its description, in the order declared."""
        return {
            name: knob for name, field in cls.model_fields.items() for knob in field.metadata if isinstance(knob, Knob)
        }

    def ranges(self) -> Iterator[tuple[str, Knob, AskedRange]]:
        """The knobs with what was asked of them; a knob that was left out has its default."""
        for name, knob in self.knobs().items():
            yield name, knob, getattr(self, name)

    def needed_places(self) -> Iterator[tuple[str, tuple[Place, ...]]]:
        """What a model must have: the field that asks for it, and the kinds of places of which one will do."""
        if self.places:
            yield self.name, self.places
        asked: AskedRange | None = getattr(self, "sites", None)
        for word in (asked.levels() or ()) if asked is not None else ():
            yield f"{self.name}.sites", HIDDEN[str(word)]

    @classmethod
    def is_off(cls, point: Point) -> bool:
        """Whether this regularizer does nothing at a point."""
        if point.get(f"{cls.name}.enabled") is False:
            return True
        present = [(k, knob) for k, knob in cls.knobs().items() if f"{cls.name}.{k}" in point]
        if not present:
            return True
        return any(knob.off is not None and point[f"{cls.name}.{k}"] == knob.off for k, knob in present)

    def off_point(self) -> Point | None:
        """The values at which this regularizer does nothing, inside what was asked; None if there are none."""
        if self.optional:
            return {f"{self.name}.enabled": False}
        values: Point = {}
        reaches_off = False
        for name, knob, asked in self.ranges():
            off = knob.off
            if off is not None and _contains(asked, off):
                values[f"{self.name}.{name}"] = off
                reaches_off = True
            else:
                values[f"{self.name}.{name}"] = first_value(asked)
        return values if reaches_off else None


def first_value(asked: AskedRange) -> Scalar:
    """A value that the range certainly contains."""
    return asked.low if isinstance(asked, Interval) else asked.levels()[0]


def _contains(asked: AskedRange, value: Scalar) -> bool:
    if isinstance(asked, Interval):
        return not isinstance(value, (bool, str)) and asked.low <= value <= asked.high
    return value in asked.levels()
