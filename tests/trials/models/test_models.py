import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.models import MLP, MODEL_FAMILIES, Activation, ConvNet, estimate_parameters
from trials.errors import InfeasibleCohortError
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
        (MLP(hidden_units=(16_384, 16_384)), (2,), r"model: expected at most 200,000,000 parameters; received 268,"),
    ],
    ids=["no images", "too small", "too large"],
)
def test_an_infeasible_model_is_refused_before_it_is_built(
    spec: MLP | ConvNet, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(InfeasibleCohortError, match=message):
        build(spec, shape, 2)
