"""Where several regularizers go in models of many shapes, and that all are still the same function in inference."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import layers

from search_spaces.values import Point
from tests.trials.engine.cohorts import convnet, mlp
from trials.attachments import all_kernels, hidden_kernels
from trials.errors import InfeasibleCohortError
from trials.grafting import graft
from trials.layers.site import Site


def order(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if not isinstance(layer, layers.InputLayer | layers.Flatten)]


def calls(model: keras.Model, name: str) -> list[Any]:
    """The calls of a layer in this model's graph: others that share it have calls of their own."""
    return [node for nodes in model._nodes_by_depth.values() for node in nodes if node.operation.name == name]


def logits(model: keras.Model, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = keras.ops.convert_to_numpy(model(x, training=False))
    return values


PLACEMENTS: list[tuple[str, str, list[str]]] = [
    ("before", "before", ["hidden_1", "hidden_1_batch_norm", "hidden_1_dropout", "hidden_1_activation"]),
    ("before", "after", ["hidden_1", "hidden_1_batch_norm", "hidden_1_activation", "hidden_1_activation_dropout"]),
    ("after", "before", ["hidden_1", "hidden_1_dropout", "hidden_1_activation", "hidden_1_batch_norm"]),
    ("after", "after", ["hidden_1", "hidden_1_batch_norm", "hidden_1_batch_norm_dropout"]),
]


@pytest.mark.parametrize(("norm", "dropout", "expected"), PLACEMENTS, ids=[f"{n} and {d}" for n, d, _ in PLACEMENTS])
def test_normalization_and_dropout_on_one_layer_keep_their_order(norm: str, dropout: str, expected: list[str]) -> None:
    structure: Point = {"batch_norm.placement": f"{norm}_activation", "dropout.placement": f"{dropout}_activation"}
    grafted = graft(mlp(8), ("dropout", "batch_norm"), structure)
    assert order(grafted.model) == [*expected, "logits"]
    assert grafted.sites["batch_norm"] == ("hidden_1",)


def test_batch_normalization_without_a_placement_leaves_the_model_alone() -> None:
    model = mlp(8)
    assert graft(model, ("batch_norm",), {"batch_norm.placement": "none"}).model is model


def test_a_pooled_convolution_is_normalized_before_and_dropped_after_its_pooling() -> None:
    structure: Point = {"batch_norm.placement": "after_activation", "dropout.sites": "convolution"}
    grafted = graft(convnet(), ("dropout", "spatial_dropout", "batch_norm"), structure)
    assert order(grafted.model)[:5] == [
        "conv_1",
        "conv_1_batch_norm",
        "conv_1_spatial_dropout",
        "pool_1",
        "pool_1_dropout",
    ]
    assert grafted.sites["spatial_dropout"] == ("conv_1", "conv_2")


def marked() -> keras.Model:
    inputs = keras.Input((6,), name="inputs")
    x = layers.Dense(5, activation="relu", name="first")(inputs)
    x = layers.Dense(5, activation="relu", name="second")(x)
    x = Site("dropout", name="here")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x))


def test_a_marked_site_takes_the_place_of_all_that_would_be_found() -> None:
    grafted = graft(marked(), ("dropout",), {})
    assert grafted.sites["dropout"] == ("here",)
    assert order(grafted.model) == ["first", "second", "here_dropout", "logits"]


def test_a_site_of_one_regularizer_says_nothing_of_another() -> None:
    grafted = graft(marked(), ("gaussian_dropout",), {})
    assert grafted.sites["gaussian_dropout"] == ("first", "second")


def words() -> keras.Model:
    inputs = keras.Input((4,), name="inputs")
    x = layers.Embedding(9, 5, name="embedding")(inputs)
    x = layers.GRU(3, name="gru")(x)
    return keras.Model(inputs, layers.Dense(2, name="logits")(x))


@pytest.mark.parametrize("name", ["input_dropout", "gaussian_noise", "spatial_dropout"])
def test_what_acts_on_inputs_acts_on_embedded_vectors_where_there_are_any(name: str) -> None:
    grafted = graft(words(), (name,), {})
    assert grafted.sites[name] == ("embedding",)
    assert order(grafted.model)[:2] == ["embedding", f"embedding_{name}"]


def test_words_are_not_blended() -> None:
    with pytest.raises(InfeasibleCohortError, match="mixup: expected a model of examples that can be blended"):
        graft(words(), ("mixup",), {})


def test_an_input_with_several_consumers_is_disturbed_once_for_all() -> None:
    inputs = keras.Input((6,), name="inputs")
    both = layers.Concatenate(name="both")([layers.Dense(4, name="one")(inputs), inputs])
    model = keras.Model(inputs, layers.Dense(3, name="logits")(both))
    grafted = graft(model, ("input_dropout", "gaussian_noise"), {}).model
    placed = [layer for layer in grafted.layers if layer.name in {"inputs_input_dropout", "inputs_gaussian_noise"}]
    assert len(placed) == 2
    assert [len(calls(grafted, layer.name)) for layer in placed] == [1, 1]
    (dense,), (whole,) = calls(grafted, "one"), calls(grafted, "both")
    assert dense.input_tensors[0] is whole.input_tensors[1]


def shared() -> keras.Model:
    inputs = keras.Input((6,), name="inputs")
    twice = layers.Dense(6, activation="relu", name="twice")
    return keras.Model(inputs, layers.Dense(3, name="logits")(twice(twice(inputs))))


@pytest.mark.parametrize("placement", ["before_activation", "after_activation"])
def test_a_layer_that_is_called_twice_is_followed_twice_by_one_dropout(placement: str) -> None:
    structure: Point = {"dropout.placement": placement, "batch_norm.placement": "none"}
    grafted = graft(shared(), ("dropout",), structure).model
    assert len(calls(grafted, "twice_dropout")) == 2
    if placement == "before_activation":
        assert grafted.get_layer("twice_activation").activation is keras.activations.relu
        assert len(calls(grafted, "twice_activation")) == 2


def steps() -> keras.Model:
    inputs = keras.Input((4, 5), name="inputs")
    x = layers.TimeDistributed(layers.Dense(4, activation="relu", name="inner"), name="each_step")(inputs)
    x = layers.SimpleRNN(3, name="simple")(x)
    return keras.Model(inputs, layers.Dense(2, name="logits")(x))


def test_layers_at_every_step_and_simple_recurrences_are_hidden_layers_too() -> None:
    grafted = graft(steps(), ("dropout",), {"dropout.placement": "before_activation"})
    assert grafted.sites["dropout"] == ("each_step", "simple")
    assert order(grafted.model)[:4] == ["each_step", "each_step_dropout", "each_step_activation", "simple"]


def residual() -> keras.Model:
    inputs = keras.Input((4, 4, 2), name="inputs")
    x = inputs
    for number in (1, 2):
        branch = Site("stochastic_depth", name=f"branch_{number}")(layers.Conv2D(2, 3, padding="same")(x))
        x = layers.Add(name=f"add_{number}")([x, branch])
    return keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(x)))


def test_deeper_branches_are_left_out_more_often() -> None:
    grafted = graft(residual(), ("stochastic_depth",), {})
    assert [grafted.model.get_layer(f"branch_{n}_stochastic_depth").depth for n in (1, 2)] == [0.5, 1.0]
    assert grafted.sites["stochastic_depth"] == ("branch_1", "branch_2")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("spatial_dropout", "convolutions or an embedding"),
        ("stochastic_depth", "a model with marked residual branches"),
        ("recurrent_dropout", "LSTM or GRU layers"),
    ],
)
def test_a_model_without_a_place_is_refused_by_name(name: str, expected: str) -> None:
    with pytest.raises(InfeasibleCohortError, match=f"{name}: expected {expected}; the model has none"):
        graft(mlp(8), (name,), {})


INFERENCE: list[tuple[str, Callable[[], keras.Model], tuple[int, ...], tuple[str, ...]]] = [
    (
        "convnet",
        convnet,
        (8, 8, 1),
        ("dropout", "spatial_dropout", "alpha_dropout", "gaussian_noise", "gaussian_dropout"),
    ),
    ("marked", marked, (6,), ("dropout", "input_dropout")),
    ("shared", shared, (6,), ("dropout", "input_dropout", "gaussian_noise")),
    ("steps", steps, (4, 5), ("dropout", "gaussian_noise")),
    ("residual", residual, (4, 4, 2), ("stochastic_depth", "spatial_dropout")),
]


@pytest.mark.parametrize(("build", "shape", "names"), [row[1:] for row in INFERENCE], ids=[row[0] for row in INFERENCE])
def test_many_at_once_are_the_untouched_model_in_inference(
    build: Callable[[], keras.Model], shape: tuple[int, ...], names: tuple[str, ...]
) -> None:
    model = build()
    x = np.random.default_rng(0).random((5, *shape), np.float32)
    before = logits(model, x)
    structure: Point = {
        "dropout.placement": "before_activation",
        "dropout.sites": "both",
        "gaussian_noise.sites": "both",
    }
    np.testing.assert_array_equal(logits(graft(model, names, structure).model, x), before)


def test_decay_spares_biases_and_scales_of_any_shape() -> None:
    inputs = keras.Input((4, 5), name="inputs")
    x = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    x = layers.PReLU()(layers.GRU(3, return_sequences=True)(x))
    model = keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(x)))
    names = [model.trainable_variables[i].name for i in sorted(all_kernels(model))]
    assert names == ["kernel"] * 4 + ["kernel", "recurrent_kernel", "kernel"]
    assert all_kernels(model) > set(hidden_kernels(model))
