"""Keras models brought as JSON: what is translated is the same model, and what is not is named."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import keras
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from keras import layers
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from search_spaces.models import Layers, check_model
from service.errors import InvalidModelError
from service.model_import import import_model
from service.specs import parse
from tests.trials.models.layer_lists import layer_lists
from trials.models import build

STRENGTHS = dict.fromkeys(("dropout", "spatial_dropout", "gaussian_dropout", "alpha_dropout"), "rate") | {
    "gaussian_noise": "stddev"
}


def document(model: keras.Model) -> Any:
    return json.loads(model.to_json())


def rebuilt(model: keras.Model) -> keras.Model:
    imported = import_model(document(model))
    assert imported.input_shape is not None
    again = build(parse(Layers, imported.model), imported.input_shape, imported.n_classes)
    assert again.count_params() == imported.parameters
    return again


def shapes(model: keras.Model) -> dict[str, tuple[int, ...]]:
    """Output shape of each layer by name, but for inputs, masks and the end."""
    graph = keras.Model(model.inputs, model.outputs) if isinstance(model, keras.Sequential) else model
    kept = [layer for layer in graph.layers if not isinstance(layer, keras.layers.InputLayer) and layer.weights]
    return {layer.name: tuple(layer.output.shape[1:]) for layer in kept[:-1]}


def functional(shape: tuple[int, ...], body: Callable[[Any], Any], activation: str = "softmax") -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, layers.Dense(1 if activation == "sigmoid" else 4, activation=activation)(body(inputs)))


def image_body(x: Any) -> Any:
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.Conv2D(4, 3, strides=2, use_bias=False, kernel_initializer="he_normal")(x)
    x = first = layers.ReLU(6)(layers.BatchNormalization(axis=3)(x))
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.SeparableConv2D(4, 3, padding="same", activation="swish")(x)
    x = layers.Concatenate(axis=3)([first, x]) + layers.Conv2D(8, 1)(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = x * layers.Dense(8, activation="sigmoid")(gate)
    return layers.Flatten()(layers.SpatialDropout2D(0.2)(x))


def words_body(x: Any) -> Any:
    x = layers.Embedding(10, 4, mask_zero=True)(x)
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True, dropout=0.2))(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)])
    x = layers.TimeDistributed(layers.Dense(4, activation="relu"))(layers.LayerNormalization()(x))
    return layers.LSTM(3, recurrent_dropout=0.1)(x)


def chain() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((20, 3)),
            layers.ZeroPadding1D(2),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="gelu"),
            layers.UpSampling1D(2),
            layers.Cropping1D((1, 0)),
            layers.MaxPooling1D(2),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(5),
        ]
    )


MODELS: dict[str, Callable[[], keras.Model]] = {
    "images": lambda: functional((9, 9, 3), image_body),
    "words": lambda: functional((6,), words_body, "sigmoid"),
    "sequential": chain,
    "softmax of its own": lambda: keras.Sequential(
        [keras.Input((6,)), layers.Dense(3, activation="relu"), layers.Dense(4), layers.Softmax()]
    ),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_a_keras_model_is_rebuilt_with_the_same_layers(make: Callable[[], keras.Model]) -> None:
    model = make()
    again = rebuilt(model)
    assert again.count_params() == model.count_params()
    assert shapes(again) == shapes(model)
    assert again.get_layer("logits").activation is keras.activations.linear


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(layer_lists())
def test_any_list_of_layers_survives_the_way_through_keras(
    drawn: tuple[list[dict[str, Any]], tuple[int, ...]],
) -> None:
    given, shape = drawn
    fixed = [layer | ({STRENGTHS[layer["kind"]]: 0.3} if layer["kind"] in STRENGTHS else {}) for layer in given]
    try:
        spec = Layers.model_validate({"layers": fixed})
        check_model(spec, shape, 4)
    except (ValidationError, PydanticCustomError):
        assume(False)
    model = build(spec, shape, 4)
    again = rebuilt(model)
    assert {layer.name: tuple(layer.output.shape) for layer in again.layers} == {
        layer.name: tuple(layer.output.shape) for layer in model.layers
    }
    assert again.count_params() == model.count_params()


def test_arguments_are_kept() -> None:
    imported = import_model(document(MODELS["images"]()))
    found = {layer["kind"]: layer for layer in imported.model["layers"]}
    assert (imported.input_shape, imported.n_classes) == ((9, 9, 3), 4)
    assert found["zero_padding2d"]["padding"] == [[0, 1], [0, 1]]
    assert found["activation"]["activation"] == "relu6"
    assert found["separable_conv2d"]["activation"] == "silu"
    assert found["spatial_dropout"]["rate"] == 0.2
    first = next(layer for layer in imported.model["layers"] if layer["kind"] == "conv2d")
    assert (first["strides"], first["use_bias"], first["kernel_initializer"]) == (2, False, "he_normal")


def chained(*given: Any) -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 2)), *given, layers.Flatten(), layers.Dense(4, name="last")])


class Own(layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer that nobody else has."""

    def call(self, inputs: Any) -> Any:
        return inputs


def shared() -> keras.Model:
    inputs = keras.Input((4,))
    twice = layers.Dense(4, name="twice")
    return keras.Model(inputs, layers.Dense(3)(twice(twice(inputs))))


def two_inputs() -> keras.Model:
    both = [keras.Input((4,)), keras.Input((4,))]
    return keras.Model(both, layers.Dense(3)(layers.Add()(both)))


def crossed(x: Any) -> Any:
    return layers.Flatten()(layers.MultiHeadAttention(1, 2, name="cross")(x, layers.Dense(4)(x)))


REFUSED: dict[str, tuple[Callable[[], keras.Model], str, str]] = {
    "regularizer": (
        lambda: chained(layers.Conv2D(3, 3, kernel_regularizer="l2", name="c")),
        "c.kernel_regularizer",
        "L2",
    ),
    "groups": (lambda: chained(layers.Conv2D(4, 3, groups=2, name="c")), "c.groups", "2"),
    "initializer": (
        lambda: chained(layers.Conv2D(4, 3, bias_initializer="ones", name="c")),
        "c.bias_initializer",
        "Ones",
    ),
    "channels first": (
        lambda: chained(layers.Flatten(data_format="channels_first", name="f")),
        "f.data_format",
        "channels",
    ),
    "frozen": (lambda: chained(layers.Conv2D(4, 3, trainable=False, name="c")), "c.trainable", "False"),
    "unknown kind": (lambda: chained(layers.UnitNormalization(name="u")), "u", "UnitNormalization"),
    "own layer": (lambda: chained(Own(name="own")), "own", "Own"),
    "other slope": (lambda: chained(layers.LeakyReLU(name="r")), "r.negative_slope", "0.3"),
    "nested": (lambda: chained(keras.Sequential([layers.Conv2D(2, 1)], name="inner")), "inner", "Sequential"),
    "unequal dilation": (
        lambda: chained(layers.Conv2D(2, 2, dilation_rate=(1, 2), name="c")),
        "c.dilation_rate",
        "[1, 2]",
    ),
    "too wide": (lambda: chained(layers.Conv2D(16_385, 1, name="c")), "c.filters", "16385"),
    "scaled": (lambda: functional((4,), lambda x: x * 2.0), "multiply", "2.0"),
    "sum over an axis": (lambda: functional((4, 4), lambda x: keras.ops.sum(x, axis=1)), "sum", "Sum"),
    "used twice": (shared, "twice", "one used 2 times"),
    "two inputs": (two_inputs, "inputs", "2"),
    "attention to another": (lambda: functional((3, 4), crossed), "cross", "and"),
    "many labels": (
        lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="sigmoid", name="d")]),
        "d.activation",
        "sigmoid",
    ),
    "no dense end": (
        lambda: keras.Sequential([keras.Input((4, 4, 3)), layers.GlobalAveragePooling2D(name="g")]),
        "g",
        "global_average_pooling2d",
    ),
    "size not known": (lambda: keras.Sequential([keras.Input((None, 4)), layers.LSTM(3), layers.Dense(3)]), "", "None"),
}


@pytest.mark.parametrize(("make", "field", "received"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_translated_is_named(make: Callable[[], keras.Model], field: str, received: str) -> None:
    with pytest.raises(InvalidModelError) as error:
        import_model(document(make()))
    named = [fault for fault in error.value.errors if fault["field"].startswith(field)]
    assert named, error.value.errors
    assert received in named[0]["received"]


def test_all_faults_are_named_at_once() -> None:
    model = chained(layers.Conv2D(4, 3, groups=2, kernel_regularizer="l2", name="c"), Own(name="own"))
    with pytest.raises(InvalidModelError) as error:
        import_model(document(model))
    assert [fault["field"] for fault in error.value.errors] == ["c.groups", "c.kernel_regularizer", "own"]


def test_a_document_of_keras_2_is_read() -> None:
    def layer(kind: str, name: str, before: str | None, **config: Any) -> dict[str, Any]:
        nodes = [[[before, 0, 0, {}]]] if before else []
        return {"class_name": kind, "config": {"name": name, **config}, "name": name, "inbound_nodes": nodes}

    dense = {"trainable": True, "dtype": "float32", "use_bias": True, "kernel_constraint": None}
    end = layer("Dense", "out", "hidden", units=1, activation="sigmoid", **dense)
    start = layer("InputLayer", "in", None, batch_input_shape=[None, 5], dtype="float32", sparse=False, ragged=False)
    hidden = layer("Dense", "hidden", "in", units=3, activation="relu", **dense)
    config = {
        "name": "m",
        "layers": [start, hidden, end],
        "input_layers": [["in", 0, 0]],
        "output_layers": [["out", 0, 0]],
    }

    imported = import_model(
        {"class_name": "Functional", "config": config, "keras_version": "2.15.0", "backend": "tensorflow"}
    )

    assert imported.model["layers"] == [{"kind": "dense", "name": "hidden", "units": 3, "activation": "relu"}]
    assert (imported.input_shape, imported.n_classes, imported.parameters) == ((5,), 2, 22)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_document_is_refused_and_breaks_nothing(data: st.DataObject) -> None:
    damaged = json.loads(json.dumps(WHOLE))
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = damaged
        while True:
            keys = list(range(len(place))) if isinstance(place, list) else list(place)
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 3)) == 0:
                place[key] = data.draw(JSON)
                break
            place = place[key]
        if not isinstance(damaged, dict):
            break
    with suppress(InvalidModelError):
        import_model(damaged)


@pytest.mark.parametrize("given", [None, [], "model", {}, {"class_name": "Sequential", "config": {"layers": []}}])
def test_what_is_no_model_is_refused(given: Any) -> None:
    with pytest.raises(InvalidModelError):
        import_model(given)


WHOLE = document(MODELS["words"]())
