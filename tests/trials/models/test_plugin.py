"""Models of installed builders."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from search_spaces.models import Plugin
from tests.builders import EXAMPLE, make_visible
from trials.engine.initial_weights import initial_weights
from trials.errors import InfeasibleCohortError
from trials.grafting import graft
from trials.models import build


@pytest.fixture(autouse=True)
def _builders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_visible(tmp_path, monkeypatch)


def test_the_example_is_built_with_its_options_and_takes_regularizers() -> None:
    model = build(Plugin(name="wide_and_deep", options={"units": 5, "depth": 3}), (8, 8, 1), 10)

    assert model.output_shape == (None, 10)
    assert graft(model, ("dropout",), {}).sites["dropout"] == ("deep_1", "deep_2", "deep_3")


def test_two_classes_ask_the_builder_for_one_logit() -> None:
    assert build(Plugin(name="wide_and_deep"), (4,), 2).output_shape == (None, 1)


def test_the_examples_project_names_the_builder_as_the_documents_say() -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["regtune.models"] == {"wide_and_deep": "wide_and_deep:build"}


def test_weights_of_unknown_origin_are_the_same_in_every_process() -> None:
    first, second = (build(Plugin(name="scaled"), (6,), 3) for _ in range(2))
    for one, other in zip(initial_weights(first, 1), initial_weights(second, 1), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nowhere", {}, r"model\.name: expected an installed builder \(.*wide_and_deep.*\); received nowhere"),
        ("fails", {}, r"model\.name: .* for \(4, 4\); fails raised ValueError\('no luck'\)"),
        ("wide_and_deep", {"colour": "red"}, r"model\.name: .*wide_and_deep raised TypeError.*colour"),
        ("no_model", {}, r"model\.name: expected a builder of Keras models; no_model gave <class 'str'>"),
        ("probabilities", {}, r"model\.name: expected logits; probabilities ends with an activation in end"),
        ("narrow", {}, r"expected a model from \(4, 4\) to \(3,\); narrow gave one from \(4, 4\) to \(2,\)"),
        ("huge", {}, r"model: expected at most 200,000,000 parameters; huge gave 200,000,0"),
    ],
    ids=["unknown", "fails", "unknown option", "no model", "probabilities", "narrow", "too large"],
)
def test_what_a_builder_cannot_give_is_refused(name: str, options: dict[str, int | str], message: str) -> None:
    with pytest.raises(InfeasibleCohortError, match=message):
        build(Plugin.model_validate({"name": name, "options": options}), (4, 4), 3)


@pytest.mark.parametrize("options", [{"a": [1]}, {"A b": 1}, {"a": float("nan")}, {f"a{n}": n for n in range(51)}])
def test_options_are_a_few_named_scalars(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Plugin.model_validate({"name": "mine", "options": options})
