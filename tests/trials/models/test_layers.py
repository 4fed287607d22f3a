"""The family `layers`: what its parser and its check accept is built as they say."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic_core import PydanticCustomError

from search_spaces.models import Layers, check_model, estimate_parameters
from search_spaces.models.kinds import KINDS
from search_spaces.values import Point
from service.errors import InvalidStudySpecError
from service.specs import parse, parse_spec
from tests.trials.executors.cohorts import make_cohort
from tests.trials.models.layer_lists import layer_lists
from trials.curves import row, unpack
from trials.errors import InfeasibleCohortError
from trials.layers.site import Site
from trials.models import build
from trials.train import train


def layers(*given: dict[str, Any]) -> Layers:
    return Layers.model_validate({"layers": list(given)})


def refused_field(given: list[dict[str, Any]], shape: tuple[int, ...]) -> str | None:
    """The field of the refusal, by the parser or by the check; None if the list is accepted."""
    try:
        check_model(parse(Layers, {"layers": given}), shape, 10)
    except InvalidStudySpecError as error:
        return str(error.errors[0]["field"])
    except PydanticCustomError as error:
        return str((error.context or {})["field"])
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layer_lists())
def test_every_list_is_built_as_predicted_or_refused_by_layer_and_field(
    drawn: tuple[list[dict[str, Any]], tuple[int, ...]],
) -> None:
    given, shape = drawn
    field = refused_field(given, shape)
    if field is not None:
        assert field.removeprefix("model.").split(".")[0] == "layers"
        assert 0 <= int(field.removeprefix("model.").split(".")[1]) < len(given)
        return
    spec = layers(*given)
    model = build(spec, shape, 10)

    assert model.count_params() == estimate_parameters(spec, shape, 10)
    for name, outcome in spec.outcomes(shape).items():
        assert tuple(model.get_layer(name).output.shape[1:]) == outcome.shape, name


NEEDS: dict[str, dict[str, Any]] = {
    "dense": {"units": 3},
    "time_distributed": {"layer": {"kind": "dense", "units": 3}},
    "activation": {"activation": "relu"},
    "embedding": {"input_dim": 9, "output_dim": 3},
    "multi_head_attention": {"num_heads": 2, "key_dim": 3},
    "rescaling": {"scale": 2.0},
    "bidirectional": {"layer": {"kind": "gru", "units": 3}},
    "reshape": {"target_shape": [-1]},
    "permute": {"dims": [1]},
    "repeat_vector": {"n": 3},
    "group_normalization": {"groups": 2},
    **{kind: {"from": "inputs"} for kind in ("add", "multiply", "concatenate")},
    **{kind: {"units": 3} for kind in ("lstm", "gru", "simple_rnn")},
    **{f"conv{rank}d": {"filters": 3, "kernel_size": 2} for rank in (1, 2, 3)},
    **{f"separable_conv{rank}d": {"filters": 3, "kernel_size": 2} for rank in (1, 2)},
    **{f"depthwise_conv{rank}d": {"kernel_size": 2} for rank in (1, 2)},
}
SHAPES = ((8,), (8, 4), (8, 8, 1), (8, 8, 8, 2))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_built_with_what_it_needs_alone(kind: str) -> None:
    asked = [{"kind": kind} | NEEDS.get(kind, {}), {"kind": "flatten"}]

    shape = next(shape for shape in SHAPES if refused_field(asked, shape) is None)

    model = build(layers(*asked), shape, 10)
    assert model.count_params() == estimate_parameters(layers(*asked), shape, 10)


@pytest.mark.parametrize("kind", ["dropout", "spatial_dropout", "gaussian_dropout", "alpha_dropout", "gaussian_noise"])
def test_a_disturbance_without_strength_is_a_place_and_with_one_a_layer(kind: str) -> None:
    strength = "stddev" if kind == "gaussian_noise" else "rate"
    model = build(layers({"kind": kind, "name": "open"}, {"kind": kind, strength: 0.3}, {"kind": "flatten"}), (4, 3), 2)

    place, fixed = model.layers[1:3]
    assert isinstance(place, Site)
    assert (place.name, place.regularizer) == ("open", kind)
    assert getattr(fixed, strength) == 0.3


def test_spatial_dropout_follows_the_number_of_axes() -> None:
    kinds = [
        type(build(layers({"kind": "spatial_dropout", "rate": 0.5}, {"kind": "flatten"}), shape, 2).layers[1])
        for shape in ((4, 3), (4, 4, 3), (4, 4, 4, 3))
    ]
    assert kinds == [keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D, keras.layers.SpatialDropout3D]


def test_arguments_reach_the_layer_that_keras_makes() -> None:
    asked = {"kind": "bidirectional", "layer": {"kind": "lstm", "units": 3, "dropout": 0.2, "recurrent_dropout": 0.1}}
    convolution = {"kind": "conv1d", "filters": 2, "kernel_size": [3], "strides": 2, "padding": "same"}
    start = {"activation": "relu", "use_bias": False, "kernel_initializer": "he_normal"}
    _, first, both, _ = build(layers(convolution | start, asked), (9, 4), 2).layers

    assert (first.filters, first.kernel_size, first.strides, first.padding) == (2, (3,), (2,), "same")
    assert (first.activation, first.use_bias) == (keras.activations.relu, False)
    assert isinstance(first.kernel_initializer, keras.initializers.HeNormal)
    assert (both.forward_layer.dropout, both.backward_layer.recurrent_dropout) == (0.2, 0.1)


def test_layers_are_named_by_kind_and_count_and_can_be_taken_by_name() -> None:
    dense = {"kind": "dense", "units": 4}
    spec = layers(
        dense, dense, {"kind": "add", "from": "dense_1"}, {"kind": "concatenate", "from": ["add_1", "inputs"]}
    )

    assert [name for _, name, _ in spec.steps()] == ["dense_1", "dense_2", "add_1", "concatenate_1"]
    assert [sources for _, _, sources in spec.steps()][2:] == [("dense_2", "dense_1"), ("add_1", "inputs")]
    assert build(spec, (6,), 3).get_layer("concatenate_1").output.shape == (None, 10)


def test_a_list_of_no_layers_is_a_linear_model() -> None:
    assert build(layers(), (6,), 3).count_params() == 21


def test_a_list_survives_being_stored_and_read_again() -> None:
    spec = layers(
        {"kind": "dense", "units": 3, "name": "a"}, {"kind": "dense", "units": 6}, {"kind": "add", "from": "inputs"}
    )

    assert '"from":"inputs"' in spec.model_dump_json()
    assert parse(Layers, spec.model_dump(mode="json")) == spec


CONVOLUTION = {"kind": "conv2d", "filters": 4, "kernel_size": 3}
DENSE = {"kind": "dense", "units": 4}
ATTENTION = {"kind": "multi_head_attention", "num_heads": 1, "key_dim": 1}
WRONG: list[tuple[str, list[dict[str, Any]], str, str, str]] = [
    ("kernel beyond the image", [CONVOLUTION | {"kernel_size": 9}], "0.kernel_size", "at most (8, 8)", "(9, 9)"),
    (
        "kernel beyond what is left",
        [CONVOLUTION, {"kind": "max_pooling2d", "pool_size": 4}, CONVOLUTION | {"kernel_size": [1, 2]}],
        "2.kernel_size",
        "at most (1, 1)",
        "(1, 2)",
    ),
    ("not flat at the end", [CONVOLUTION], "0.kind", "flat features at the end", "shape (6, 6, 4)"),
    ("wrong number of axes", [{"kind": "lstm", "units": 3}], "0.kind", "shape (8, 8, 1)", "lstm, which needs 2 axes"),
    ("unknown source", [DENSE | {"from": "nowhere"}], "0.from", "the name of an earlier layer", "nowhere"),
    ("name taken", [DENSE | {"name": "a"}, DENSE | {"name": "a"}], "1.name", "another name than", "a"),
    ("name of ours", [DENSE | {"name": "logits"}], "0.name", "another name than inputs, logits", "logits"),
    ("dead end", [DENSE, DENSE | {"from": "inputs"}], "0.name", "a later layer takes dense_1", "a layer that nothing"),
    (
        "unequal sum",
        [CONVOLUTION, {"kind": "add", "from": "inputs"}],
        "1.from",
        "equal shapes",
        "(6, 6, 4) and (8, 8, 1)",
    ),
    (
        "reshape that loses values",
        [{"kind": "reshape", "target_shape": [7, -1]}],
        "0.target_shape",
        "64 values",
        "[7, -1]",
    ),
    ("axes missing", [{"kind": "permute", "dims": [2, 1]}], "0.dims", "each of 1 to 3", "[2, 1]"),
    ("groups", [CONVOLUTION, {"kind": "group_normalization", "groups": 3}], "1.groups", "divisor of the 4", "3"),
    ("all cut off", [{"kind": "cropping2d", "cropping": [4, 0]}], "0.cropping", "less in all than (8, 8)", "(8, 0)"),
    ("axis", [{"kind": "concatenate", "from": ["inputs", "inputs"], "axis": 4}], "0.axis", "1 to 3", "4"),
    (
        "learned words",
        [DENSE, {"kind": "embedding", "input_dim": 3, "output_dim": 2}, {"kind": "flatten"}],
        "1.from",
        "whole numbers",
        "dense_1",
    ),
    ("too many values", [{"kind": "up_sampling2d", "size": 1024}], "0.kind", "at most 16,777,216 values", "67,108,864"),
    (
        "too much attention",
        [
            {"kind": "rows"},
            {"kind": "up_sampling1d", "size": 1024},
            {"kind": "multi_head_attention", "num_heads": 1, "key_dim": 1},
        ],
        "2.kind",
        "at most 16,777,216",
        "67,108,864",
    ),
    ("dilated strides", [CONVOLUTION | {"strides": 2, "dilation_rate": 2}], "0", "dilation_rate must be 1 where", "2"),
    ("causal image", [CONVOLUTION | {"padding": "causal"}], "0", "padding of conv2d must be valid or same", "causal"),
    ("sizes of other axes", [CONVOLUTION | {"kernel_size": [3]}], "0", "an integer or 2 of them", "[3]"),
    ("unknown kind", [{"kind": "convolution"}], "0.kind", "conv2d", "convolution"),
    ("unknown key", [DENSE | {"unitss": 3}], "0.unitss", "kind, units, activation", "unitss"),
    ("missing key", [{"kind": "add"}], "0.from", "a value", "nothing"),
    ("too wide", [{"kind": "dense", "units": 16_385}], "0.units", "at most 16384", "16385"),
]


@pytest.mark.parametrize(
    ("given", "field", "expected", "received"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_wrong_list_is_refused_by_layer_and_field(
    given: list[dict[str, Any]], field: str, expected: str, received: str
) -> None:
    study = {"name": "x", "dataset": "digits", "search": {"sampler": "grid"}, "preprocessing": "none"}
    with pytest.raises(InvalidStudySpecError) as error:
        parse_spec(study | {"model": {"family": "layers", "layers": given}})
    fault = error.value.errors[0]

    assert fault["field"] == f"model.layers.{field}"
    assert expected in fault["expected"]
    assert received in fault["received"]


def test_a_list_of_too_many_layers_is_refused() -> None:
    assert refused_field([DENSE] * 201, (4,)) == "layers"


def test_too_many_weights_are_refused() -> None:
    wide = {"kind": "dense", "units": 16_384}
    with pytest.raises(InfeasibleCohortError, match=r"^model: expected at most 200,000,000 parameters; received 268,"):
        build(layers(wide, wide), (4,), 2)


IMAGES = layers(
    {"kind": "rescaling", "scale": 2.0},
    {"kind": "conv2d", "filters": 4, "kernel_size": 3, "activation": "relu", "kernel_initializer": "he_normal"},
    {"kind": "batch_normalization", "momentum": 0.5, "name": "stem"},
    {"kind": "conv2d", "filters": 4, "kernel_size": 1},
    {"kind": "add", "from": "stem"},
    {"kind": "max_pooling2d", "pool_size": 3},
    {"kind": "dropout"},
    {"kind": "flatten"},
)
SEQUENCES = layers(
    {"kind": "rows"},
    ATTENTION,
    {"kind": "layer_normalization"},
    {"kind": "dropout"},
    {"kind": "global_average_pooling1d"},
)


@pytest.mark.parametrize("spec", [IMAGES, SEQUENCES], ids=["images", "sequences"])
def test_lists_of_layers_are_trained_as_compiled_lanes(spec: Layers, tmp_path: Path) -> None:
    rates: list[Point] = [{"dropout.rate": 0.0}, {"dropout.rate": 0.5}]
    steps = train(make_cohort(*rates, epochs=2).model_copy(update={"model": spec}), tmp_path)

    report = next(steps)
    steps.close()

    assert "XLA" in report.trained_by
    off, on = (unpack(lane.curve) for lane in report.lanes)
    assert np.isfinite(row(off, "validation_loss")).all()
    assert row(off, "running_loss")[0] != row(on, "running_loss")[0]
