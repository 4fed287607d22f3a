"""Any model as one flat graph."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from trials.engine.model_graph import flat_graph
from trials.errors import InfeasibleCohortError


def names(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if not isinstance(layer, layers.InputLayer)]


def same(one: keras.Model, other: keras.Model, *shape: int) -> None:
    x = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
    ours, theirs = (np.asarray(keras.ops.convert_to_numpy(model(x))) for model in (one, other))
    np.testing.assert_array_equal(ours, theirs)


def test_a_sequential_model_becomes_a_graph_of_the_same_layers() -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="hidden"), layers.Dense(2, name="logits")])
    graph = flat_graph(model, (3,))
    assert names(graph) == ["hidden", "logits"]
    assert graph.get_layer("hidden") is model.get_layer("hidden")
    same(model, graph, 3)


def test_a_sequential_model_without_an_input_is_built_for_the_data() -> None:
    graph = flat_graph(keras.Sequential([layers.Dense(2, name="logits")]), (3,))
    assert graph.get_layer("logits").kernel.shape == (3, 2)


def test_layers_of_models_within_models_come_to_the_surface() -> None:
    innermost = keras.Sequential([keras.Input((5,)), layers.Dense(5, name="deep")], name="innermost")
    inputs = keras.Input((5,))
    inner = keras.Model(inputs, layers.Add()([innermost(inputs), inputs]), name="inner")
    outer = keras.Input((5,))
    model = keras.Model(outer, layers.Dense(2, name="logits")(inner(inner(outer))))
    graph = flat_graph(model, (5,))
    assert "deep" in names(graph)
    assert not any(isinstance(layer, keras.Model) for layer in graph.layers)
    assert len(graph.get_layer("deep")._inbound_nodes) >= 2
    same(model, graph, 5)


def test_a_nested_model_whose_layer_has_the_name_of_another_stays_a_layer() -> None:
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="dense")], name="inner")
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(2, name="dense")(inner(inputs)))
    graph = flat_graph(model, (3,))
    assert names(graph) == ["inner", "dense"]
    same(model, graph, 3)


class OwnStep(keras.Model):  # type: ignore[misc]  # keras ships no types
    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


def test_a_training_step_of_ones_own_is_refused() -> None:
    inputs = keras.Input((3,))
    with pytest.raises(InfeasibleCohortError, match="its own train_step"):
        flat_graph(OwnStep(inputs, layers.Dense(2)(inputs)), (3,))


@pytest.mark.parametrize(("n_inputs", "n_outputs"), [(2, 1), (1, 2)])
def test_several_inputs_or_outputs_are_refused(n_inputs: int, n_outputs: int) -> None:
    inputs = [keras.Input((3,)) for _ in range(n_inputs)]
    joined = layers.Concatenate()(inputs) if n_inputs > 1 else inputs[0]
    model = keras.Model(inputs, [layers.Dense(2)(joined) for _ in range(n_outputs)])
    with pytest.raises(InfeasibleCohortError, match=f"received {n_inputs} inputs and {n_outputs} outputs"):
        flat_graph(model, (3,))
