import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.models import MLP, MODEL_FAMILIES, Activation, AnyModel, ConvNet, Recurrent, estimate_parameters
from trials.errors import InfeasibleCohortError
from trials.layers.site import Site
from trials.models import BUILDERS, build

widths = st.lists(st.integers(1, 12), max_size=3).map(tuple)


def n_outputs(n_classes: int) -> int:
    return 1 if n_classes == 2 else n_classes


def test_every_family_has_a_builder() -> None:
    assert set(BUILDERS) == set(MODEL_FAMILIES)


@settings(max_examples=25, deadline=None)
@given(widths, st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple), st.integers(2, 11))
def test_the_estimate_equals_the_parameters_of_an_mlp(
    units: tuple[int, ...], shape: tuple[int, ...], n_classes: int
) -> None:
    spec = MLP(hidden_units=units)

    assert build(spec, shape, n_classes).count_params() == estimate_parameters(spec, shape, n_outputs(n_classes))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple),
    st.integers(1, 5),
    widths,
    st.tuples(st.integers(8, 20), st.integers(8, 20), st.integers(1, 3)),
    st.integers(2, 11),
)
def test_the_estimate_equals_the_parameters_of_a_convnet(
    filters: tuple[int, ...], kernel_size: int, units: tuple[int, ...], shape: tuple[int, int, int], n_classes: int
) -> None:
    spec = ConvNet(filters=filters, kernel_size=kernel_size, hidden_units=units)

    assert build(spec, shape, n_classes).count_params() == estimate_parameters(spec, shape, n_outputs(n_classes))


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["lstm", "gru"]),
    st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple),
    st.booleans(),
    st.sampled_from([(7,), (5, 4), (4, 6, 1)]),
    widths,
)
def test_the_estimate_equals_the_parameters_of_a_recurrent_network(
    cell: str, units: tuple[int, ...], bidirectional: bool, shape: tuple[int, ...], hidden_units: tuple[int, ...]
) -> None:
    embedded = {"embedding": 3, "vocabulary": 11} if len(shape) == 1 else {}
    asked = {"cell": cell, "units": units, "bidirectional": bidirectional, "hidden_units": hidden_units}
    spec = Recurrent.model_validate(asked | embedded)

    assert build(spec, shape, 3).count_params() == estimate_parameters(spec, shape, 3)


@pytest.mark.parametrize(
    ("fields", "shape", "names"),
    [
        ({"units": (2, 3)}, (5, 4), ["inputs", "lstm_1", "lstm_2", "logits"]),
        ({"cell": "gru", "bidirectional": True}, (5, 4), ["inputs", "gru_1_both_ways", "logits"]),
        ({"hidden_units": (4,)}, (6, 5, 1), ["inputs", "rows", "lstm_1", "hidden_1", "logits"]),
        ({"embedding": 3, "vocabulary": 9}, (5,), ["inputs", "embedding", "lstm_1", "logits"]),
    ],
    ids=["stacked", "both ways", "rows of an image", "embedding"],
)
def test_a_recurrent_network_is_built_as_described(
    fields: dict[str, object], shape: tuple[int, ...], names: list[str]
) -> None:
    model = build(Recurrent.model_validate(fields), shape, 2)

    assert [layer.name for layer in model.layers] == names


def test_padding_does_not_change_what_an_embedding_network_says() -> None:
    spec = Recurrent(embedding=3, vocabulary=9, units=(4,))
    model, short = build(spec, (6,), 2), build(spec, (3,), 2)
    short.set_weights(model.get_weights())
    words = np.array([[3, 5, 2, 0, 0, 0]], np.float32)

    np.testing.assert_allclose(model(words), short(words[:, :3]), atol=1e-6)


@pytest.mark.parametrize(
    ("spec", "shape", "n_classes", "n_parameters"),
    [
        (MLP(hidden_units=(500,)), (2,), 2, 2_001),
        (MLP(hidden_units=(128, 128)), (28, 28, 1), 10, 118_282),
        (MLP(hidden_units=(500,) * 5), (28, 28, 1), 10, 1_399_510),
    ],
    ids=["circles tutorial", "MNIST tutorial", "MNIST case study"],
)
def test_the_tutorials_models_have_their_published_size(
    spec: MLP, shape: tuple[int, ...], n_classes: int, n_parameters: int
) -> None:
    assert build(spec, shape, n_classes).count_params() == n_parameters


def test_layers_have_names_to_graft_onto() -> None:
    model = build(ConvNet(filters=(2, 3), hidden_units=(4,)), (8, 8, 1), 10)

    names = [layer.name for layer in model.layers]

    assert names == ["inputs", "conv_1", "pool_1", "conv_2", "pool_2", "flatten", "hidden_1", "logits"]


@pytest.mark.parametrize(("n_classes", "width"), [(2, 1), (3, 3)])
def test_the_last_layer_gives_logits(n_classes: int, width: int) -> None:
    model = build(MLP(hidden_units=(4,)), (3,), n_classes)

    assert model.output_shape == (None, width)
    assert model.get_layer("logits").activation is keras.activations.linear


@pytest.mark.parametrize("activation", Activation.__args__)  # type: ignore[attr-defined]  # a Literal has its words
def test_keras_knows_every_activation(activation: Activation) -> None:
    model = build(MLP(hidden_units=(4,), activation=activation), (3,), 2)

    assert model.get_layer("hidden_1").activation.__name__ == activation


@pytest.mark.parametrize(
    ("spec", "shape", "message"),
    [
        (ConvNet(), (8, 8), r"model\.family: expected mlp for examples of shape \(8, 8\); received convnet"),
        (ConvNet(filters=(1, 1, 1)), (7, 20, 1), r"model\.filters: expected fewer poolings .*; received 3"),
        (
            Recurrent(),
            (8,),
            r"model\.family: expected mlp for examples of shape \(8,\); received recurrent, which needs",
        ),
        (
            Recurrent(embedding=2, vocabulary=5),
            (8, 2),
            r"model\.embedding: expected nothing for .*; received a width, which needs",
        ),
        (MLP(hidden_units=(16_384, 16_384)), (2,), r"model: expected at most 200,000,000 parameters; received 268,"),
    ],
    ids=["no images", "too small", "no sequences", "no numbers to embed", "too large"],
)
def test_an_infeasible_model_is_refused_before_it_is_built(
    spec: AnyModel, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(InfeasibleCohortError, match=message):
        build(spec, shape, 2)


RESIDUAL = ConvNet(filters=(4, 4, 6), width=0.5, convolutions_per_block=2, residual=True, hidden_units=(3,))


def test_a_residual_block_adds_its_input_to_a_branch_that_stochastic_depth_can_drop() -> None:
    model = build(RESIDUAL, (8, 8, 2), 10)

    marked = model.get_layer("block_3_branch")
    added = model.get_layer("block_3_add").input
    assert isinstance(marked, Site)
    assert marked.regularizer == "stochastic_depth"
    assert marked.input is model.get_layer("conv_3_2").output
    assert added[0] is model.get_layer("block_3_projection").output
    assert added[1] is marked.output
    assert model.get_layer("block_1_add").input[0] is model.get_layer("inputs").output
    assert model.get_layer("conv_3_2").activation is keras.activations.linear


def test_the_estimate_equals_the_parameters_of_a_residual_convnet() -> None:
    assert build(RESIDUAL, (8, 8, 3), 10).count_params() == estimate_parameters(RESIDUAL, (8, 8, 3), 10)


def test_width_scales_filters_and_leaves_at_least_one() -> None:
    assert ConvNet(filters=(3, 20, 64), width=1 / 8).channels == (1, 3, 8)


def test_blocks_of_several_convolutions_pool_once() -> None:
    model = build(ConvNet(filters=(2,), convolutions_per_block=2, hidden_units=()), (4, 4, 1), 2)

    assert [layer.name for layer in model.layers] == ["inputs", "conv_1_1", "conv_1_2", "pool_1", "flatten", "logits"]
