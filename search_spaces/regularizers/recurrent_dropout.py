"""Dropout inside recurrent layers."""

from typing import Annotated, ClassVar

from search_spaces.places import Place
from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import RegularizerSpec
from search_spaces.values import Point


class RecurrentDropout(RegularizerSpec):
    """Zeroes elements of a recurrent layer's state and inputs, the same ones at every step of a sequence.

    In training each gate of every LSTM or GRU sees the state h ⊙ m / (1 - `rate`) and the inputs
    x ⊙ n / (1 - `input_rate`), where the masks m and n are drawn once per sequence and gate, as by Keras'
    `LSTM(dropout=input_rate, recurrent_dropout=rate)`. In inference it is the identity. It is off where both rates
    are 0.

    References:
        Gal and Ghahramani, 2016, A theoretically grounded application of dropout in recurrent neural networks,
        NeurIPS 29.
    """

    name: ClassVar[str] = "recurrent_dropout"
    summary: ClassVar[str] = "zeroes state and inputs of recurrent layers, with one mask per sequence"
    places: ClassVar[tuple[Place, ...]] = ("recurrent layers",)

    rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.9, off=0.0)]
    input_rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.9, off=0.0)] = Fixed(value=0.0)

    @classmethod
    def is_off(cls, point: Point) -> bool:
        """Whether both rates are 0."""
        if point.get(f"{cls.name}.enabled") is False:
            return True
        return all(point.get(f"{cls.name}.{knob}", 0.0) == 0.0 for knob in cls.knobs())

    def off_point(self) -> Point | None:
        """Both rates 0, where that was asked for."""
        point = super().off_point()
        return point if point is not None and self.is_off(point) else None
