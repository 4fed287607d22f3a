"""What is said of a model with regularizers in place."""

import pytest

from search_spaces.models import MLP, ConvNet, Layers, Recurrent
from search_spaces.regularizers import REGULARIZERS
from search_spaces.values import Point
from trials.describe import answer
from trials.description import DescribedModel, DescriptionRequest, LayerRow, Undescribable

IMAGES = ConvNet(filters=(3,), hidden_units=(4,), residual=True)


def described(*grafts: str, **parts: object) -> DescribedModel:
    whole = {"model": IMAGES, "input_shape": (8, 8, 1), "n_classes": 10, "grafts": grafts} | parts
    said = answer(DescriptionRequest.model_validate(whole))
    assert isinstance(said, DescribedModel)
    return said


def acting(said: DescribedModel) -> dict[str, tuple[str, ...]]:
    """Layers at which something acts."""
    return {row.name: row.regularizers for row in said.rows if row.regularizers}


def test_a_model_is_described_layer_by_layer() -> None:
    said = described(model=MLP(hidden_units=(4,)))
    assert said.rows == (
        LayerRow(name="inputs", kind="InputLayer", output_shape=(8, 8, 1), n_parameters=0),
        LayerRow(name="flatten", kind="Flatten", output_shape=(64,), n_parameters=0),
        LayerRow(name="hidden_1", kind="Dense", output_shape=(4,), n_parameters=260),
        LayerRow(name="logits", kind="Dense", output_shape=(10,), n_parameters=50),
    )
    assert said.n_parameters == 310


def test_regularizers_are_shown_where_they_act() -> None:
    assert acting(described("dropout", "stochastic_depth", "l2", "weight_decay")) == {
        "conv_1": ("l2", "weight_decay"),
        "block_1_projection": ("l2", "weight_decay"),
        "block_1_branch_stochastic_depth": ("stochastic_depth",),
        "hidden_1": ("l2", "weight_decay"),
        "hidden_1_dropout": ("dropout",),
        "logits": ("weight_decay",),
    }


def test_structural_knobs_decide_the_places() -> None:
    structure: Point = {"dropout.sites": "convolution", "dropout.placement": "before_activation"}
    spec = ConvNet(filters=(3,), hidden_units=(4,), convolutions_per_block=2)
    assert list(acting(described("dropout", model=spec, structure=structure))) == ["conv_1_1_dropout", "pool_1_dropout"]


def test_marked_places_of_a_list_of_layers_are_shown() -> None:
    listed = [{"kind": "flatten"}, {"kind": "dense", "units": 3}, {"kind": "dropout", "name": "here"}]
    said = described("dropout", model=Layers.model_validate({"layers": [*listed, {"kind": "dense", "units": 3}]}))
    assert acting(said) == {"here_dropout": ("dropout",)}


def test_recurrent_dropout_is_shown_at_the_layer_that_it_is_inside_of() -> None:
    said = described("recurrent_dropout", "l1", model=Recurrent(units=(3,)))
    assert acting(said) == {"lstm_1_recurrent_dropout": ("recurrent_dropout", "l1")}


@pytest.mark.parametrize("name", sorted(set(REGULARIZERS) - {"early_stopping", "recurrent_dropout"}))
def test_every_regularizer_is_told_of(name: str) -> None:
    structure: Point = {"batch_norm.placement": "after_activation"}
    said = described(name, "dropout", structure=structure)
    assert name in said.elsewhere or any(name in row.regularizers for row in said.rows)
    assert said.elsewhere.get(name) != "nothing at these settings" or name == "monte_carlo_dropout"


def test_a_regularizer_without_a_place_is_the_answer() -> None:
    request = {"model": MLP(), "input_shape": (4,), "n_classes": 2, "grafts": ("recurrent_dropout",)}
    said = answer(DescriptionRequest.model_validate(request))
    assert isinstance(said, Undescribable)
    assert said.reason.startswith("recurrent_dropout: expected LSTM or GRU layers")
