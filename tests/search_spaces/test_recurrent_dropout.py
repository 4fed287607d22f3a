from typing import Any

import pytest

from search_spaces.regularizers import RecurrentDropout
from search_spaces.values import Point


@pytest.mark.parametrize(
    ("rate", "input_rate", "off"), [(0.0, 0.0, True), (0.2, 0.0, False), (0.0, 0.2, False), (0.2, 0.3, False)]
)
def test_recurrent_dropout_is_off_where_both_rates_are_zero(rate: float, input_rate: float, off: bool) -> None:
    point: Point = {"recurrent_dropout.rate": rate, "recurrent_dropout.input_rate": input_rate}

    assert RecurrentDropout.is_off(point) is off


@pytest.mark.parametrize("point", [{}, {"recurrent_dropout.enabled": False}], ids=["not asked for", "switched off"])
def test_recurrent_dropout_is_off_without_rates(point: Point) -> None:
    assert RecurrentDropout.is_off(point)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"rate": {"grid": [0.0, 0.3]}}, {"recurrent_dropout.rate": 0.0, "recurrent_dropout.input_rate": 0.0}),
        ({"rate": {"grid": [0.0, 0.3]}, "input_rate": 0.2}, None),
        ({"rate": 0.3, "input_rate": {"grid": [0.0, 0.3]}}, None),
        ({"rate": 0.3, "input_rate": 0.2, "optional": True}, {"recurrent_dropout.enabled": False}),
    ],
    ids=["reached", "inputs never off", "state never off", "optional"],
)
def test_the_off_point_of_recurrent_dropout_lies_inside_what_was_asked(
    asked: dict[str, Any], expected: Point | None
) -> None:
    assert RecurrentDropout.model_validate(asked).off_point() == expected
