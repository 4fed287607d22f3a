"""Where regularizers are put into a model."""

import keras
import numpy as np
import pytest

from tests.trials.engine.cohorts import convnet, mlp
from trials.attachments import hidden_kernels
from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.random_bits import Key
from trials.errors import InfeasibleCohortError
from trials.grafting import graft
from trials.layers import LaneDropout


def scope(rate: float) -> LaneScope:
    words = [keras.ops.convert_to_tensor(word, "uint32") for word in (7, 11)]
    return LaneScope(Key(words[0], words[1]), {"dropout.rate": keras.ops.convert_to_tensor(rate)})


def order(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers[1:]]


def test_dropout_sits_after_every_hidden_layer_but_not_after_the_logits() -> None:
    grafted = graft(mlp(8, 6), ("dropout",), {})
    assert order(grafted.model)[1:] == ["hidden_1", "hidden_1_dropout", "hidden_2", "hidden_2_dropout", "logits"]
    assert grafted.sites["dropout"] == ("hidden_1", "hidden_2")


def test_dropout_before_the_activation_splits_the_layer() -> None:
    grafted = graft(mlp(8), ("dropout",), {"dropout.placement": "before_activation"})
    assert order(grafted.model)[1:] == ["hidden_1", "hidden_1_dropout", "hidden_1_activation", "logits"]


@pytest.mark.parametrize(
    ("sites", "expected"),
    [("dense", ("hidden_1",)), ("convolution", ("pool_1", "pool_2")), ("both", ("pool_1", "pool_2", "hidden_1"))],
)
def test_sites_choose_the_kind_of_layer(sites: str, expected: tuple[str, ...]) -> None:
    assert graft(convnet(), ("dropout",), {"dropout.sites": sites}).sites["dropout"] == expected


def recurrent() -> keras.Model:
    inputs = keras.Input((5, 4))
    x = keras.layers.LSTM(3, return_sequences=True, name="lstm_1")(inputs)
    x = keras.layers.Bidirectional(keras.layers.GRU(2), name="gru_2")(x)
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))


def test_recurrent_dropout_sits_inside_every_recurrent_layer() -> None:
    grafted = graft(recurrent(), ("recurrent_dropout",), {})
    assert order(grafted.model) == ["lstm_1_recurrent_dropout", "gru_2_recurrent_dropout", "logits"]
    assert grafted.sites["recurrent_dropout"] == ("lstm_1", "gru_2")
    first, second = grafted.model.layers[1:3]
    assert abs(first.stream - second.stream) >= 4


def test_a_model_without_recurrent_layers_is_refused_recurrent_dropout() -> None:
    with pytest.raises(InfeasibleCohortError, match="recurrent_dropout: expected LSTM or GRU layers"):
        graft(mlp(8), ("recurrent_dropout",), {})


@pytest.mark.parametrize("placement", ["after_activation", "before_activation"])
def test_dropout_sits_after_recurrent_layers_whatever_its_placement(placement: str) -> None:
    grafted = graft(recurrent(), ("dropout",), {"dropout.placement": placement}).model
    assert order(grafted) == ["lstm_1", "lstm_1_dropout", "gru_2", "gru_2_dropout", "logits"]


def test_penalties_act_on_kernels_and_recurrent_kernels() -> None:
    model = graft(recurrent(), ("recurrent_dropout", "l2"), {}).model
    names = [model.trainable_variables[i].path.rpartition("/")[2] for i in hidden_kernels(model)]
    assert names == ["kernel", "recurrent_kernel"] * 3


@pytest.mark.parametrize("placement", ["after_activation", "before_activation"])
def test_grafted_model_equals_the_untouched_one_in_inference(placement: str) -> None:
    x = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
    model = mlp(8, 6)
    before = np.asarray(model(x))
    grafted = graft(model, ("dropout",), {"dropout.placement": placement}).model
    np.testing.assert_array_equal(before, np.asarray(grafted(x)))


def test_a_model_without_a_place_for_dropout_is_refused_by_name() -> None:
    with pytest.raises(InfeasibleCohortError, match=r"dropout\.sites: expected layers of kind 'convolution'"):
        graft(mlp(8), ("dropout",), {"dropout.sites": "convolution"})


def test_penalties_act_on_hidden_kernels_alone() -> None:
    model = graft(convnet(), ("dropout", "l2"), {}).model
    names = [model.trainable_variables[i].path for i in hidden_kernels(model)]
    assert names == ["conv_1/kernel", "conv_2/kernel", "hidden_1/kernel"]


def test_dropout_at_rate_zero_is_exactly_the_identity() -> None:
    x = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32)
    with lane_scope(scope(0.0)):
        np.testing.assert_array_equal(np.asarray(LaneDropout(0)(x, training=True)), x)


def test_dropout_drops_the_asked_share_and_scales_the_rest() -> None:
    x = np.ones((400, 250), np.float32)
    with lane_scope(scope(0.3)):
        dropped = np.asarray(LaneDropout(0)(x, training=True))
    assert abs((dropped == 0).mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / x.size)
    np.testing.assert_allclose(dropped[dropped > 0], 1 / 0.7, rtol=1e-6)


def test_neighbouring_rates_drop_nested_sets() -> None:
    x = np.ones((20, 50), np.float32)
    with lane_scope(scope(0.2)):
        few = np.asarray(LaneDropout(0)(x, training=True)) == 0
    with lane_scope(scope(0.5)):
        many = np.asarray(LaneDropout(0)(x, training=True)) == 0
    assert np.all(many[few])


def test_layers_draw_different_masks_in_one_step() -> None:
    x = np.ones((20, 50), np.float32)
    with lane_scope(scope(0.5)):
        one, other = (np.asarray(LaneDropout(stream)(x, training=True)) for stream in (0, 1))
    assert 0.4 < (one == other).mean() < 0.6


def test_training_outside_the_engine_is_refused() -> None:
    with pytest.raises(RuntimeError, match="outside a lane scope"):
        LaneDropout(0)(np.ones((1, 2), np.float32), training=True)
