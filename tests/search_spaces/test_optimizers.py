"""Optimizers and schedules as users write them."""

from typing import Any

import pytest
from pydantic import ValidationError

from search_spaces.optimizers import Constant, Cosine, Optimizer


def test_a_schedule_may_be_given_by_name_alone() -> None:
    assert Optimizer.model_validate({"schedule": "cosine"}).schedule == Cosine(name="cosine")
    assert Optimizer.model_validate({}).schedule == Constant()


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0},
        {"name": "lion", "schedule": {"name": "piecewise", "epochs": [2, 5], "factors": [0.1, 0.01]}},
        {"name": "adamw", "schedule": {"name": "exponential", "rate": 0.9, "every_epochs": 2, "staircase": True}},
    ],
    ids=["sgd", "lion", "adamw"],
)
def test_optimizers_survive_their_json(asked: dict[str, Any]) -> None:
    optimizer = Optimizer.model_validate(asked)
    assert Optimizer.model_validate_json(optimizer.model_dump_json()) == optimizer


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "lion", "momentum": 0.9}, "momentum belongs to sgd and rmsprop, received 0.9 for lion"),
        ({"name": "sgd", "nesterov": True}, "nesterov belongs to sgd with momentum"),
        ({"name": "adam", "nesterov": True}, "nesterov belongs to sgd with momentum"),
        ({"schedule": "linear"}, "linear"),
        ({"schedule": {"name": "piecewise", "epochs": [5, 2], "factors": [0.1, 0.2]}}, "expected increasing numbers"),
        ({"schedule": {"name": "piecewise", "epochs": [5], "factors": [0.1, 0.2]}}, "expected as many as epochs, 1"),
        ({"schedule": {"name": "cosine", "final_fraction": 1.5}}, "less than or equal to 1"),
        ({"weight_decay": -0.1}, "greater than or equal to 0"),
    ],
    ids=["momentum", "no momentum", "adam", "unknown", "order", "lengths", "fraction", "decay"],
)
def test_what_does_not_fit_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Optimizer.model_validate(asked)
