"""Random lists of layers, most of them such that they fit together."""

from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from search_spaces.models import Layers
from search_spaces.models.kinds import KINDS

SHAPES = ((6,), (5, 4), (6, 5, 1), (7, 8, 3), (4, 4, 5, 2))
ACTIVATIONS = st.sampled_from(["linear", "relu", "tanh", "softmax"])
SMALL = st.integers(1, 4)
PADDING = st.sampled_from(["valid", "same"])
RATE = st.sampled_from([None, 0.0, 0.4])
MARGIN = st.integers(0, 2)


def extents(rank: int) -> st.SearchStrategy[Any]:
    """One number, or one per axis."""
    return SMALL | st.lists(SMALL, min_size=rank, max_size=rank)


def margins(rank: int) -> st.SearchStrategy[Any]:
    """One number, or a number or a pair per axis."""
    return MARGIN | st.lists(MARGIN | st.tuples(MARGIN, MARGIN).map(list), min_size=rank, max_size=rank)


def convolution(rank: int) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "filters": SMALL,
        "kernel_size": extents(rank),
        "strides": extents(rank),
        "padding": PADDING if rank > 1 else PADDING | st.just("causal"),
        "dilation_rate": st.sampled_from([1, 1, 2]),
        "activation": ACTIVATIONS,
        "use_bias": st.booleans(),
    }


def by_channel(rank: int) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "kernel_size": extents(rank),
        "strides": st.sampled_from([1, 1, 2]),
        "padding": PADDING,
        "depth_multiplier": SMALL,
        "dilation_rate": st.sampled_from([1, 1, 2]),
        "use_bias": st.booleans(),
    }


CELL: dict[str, st.SearchStrategy[Any]] = {
    "units": SMALL,
    "return_sequences": st.booleans(),
    "dropout": st.sampled_from([0.0, 0.3]),
    "recurrent_dropout": st.sampled_from([0.0, 0.3]),
}
DENSE: dict[str, st.SearchStrategy[Any]] = {"units": SMALL, "activation": ACTIVATIONS, "use_bias": st.booleans()}


def inner(arguments: dict[str, st.SearchStrategy[Any]], *kinds: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"kind": st.sampled_from(kinds)}, optional=arguments | {"units": SMALL}).map(
        lambda layer: {"units": 3} | layer
    )


ARGUMENTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "dense": DENSE,
    "time_distributed": {"layer": inner(DENSE, "dense")},
    "activation": {"activation": ACTIVATIONS},
    "embedding": {"input_dim": st.integers(2, 9), "output_dim": SMALL, "mask_zero": st.booleans()},
    "multi_head_attention": {"num_heads": SMALL, "key_dim": SMALL, "dropout": st.sampled_from([0.0, 0.2])},
    "rescaling": {"scale": st.just(0.5)},
    "lstm": CELL,
    "gru": CELL,
    "simple_rnn": CELL,
    "bidirectional": {
        "layer": inner(CELL, "lstm", "gru", "simple_rnn"),
        "merge_mode": st.sampled_from(["concat", "sum", "mul", "ave"]),
    },
    "group_normalization": {"groups": SMALL},
    "reshape": {"target_shape": st.lists(st.sampled_from([-1, 1, 2, 3, 4, 5]), min_size=1, max_size=4)},
    "permute": {"dims": st.integers(1, 4).flatmap(lambda n: st.permutations(range(1, n + 1)))},
    "repeat_vector": {"n": SMALL},
    "concatenate": {"axis": st.integers(-3, 3)},
    "gaussian_noise": {"stddev": RATE},
    **{kind: {"rate": RATE} for kind in ("dropout", "spatial_dropout", "gaussian_dropout", "alpha_dropout")},
    **{f"conv{rank}d": convolution(rank) for rank in (1, 2, 3)},
    **{f"depthwise_conv{rank}d": by_channel(rank) for rank in (1, 2)},
    **{f"separable_conv{rank}d": by_channel(rank) | {"filters": SMALL} for rank in (1, 2)},
    **{
        f"{kind}_pooling{rank}d": {"pool_size": extents(rank), "strides": st.none() | extents(rank), "padding": PADDING}
        for kind in ("max", "average")
        for rank in (1, 2, 3)
    },
    **{
        f"global_{kind}_pooling{rank}d": {"keepdims": st.booleans()}
        for kind in ("max", "average")
        for rank in (1, 2, 3)
    },
    **{f"up_sampling{rank}d": {"size": extents(rank)} for rank in (1, 2, 3)},
    **{f"zero_padding{rank}d": {"padding": margins(rank)} for rank in (1, 2, 3)},
    **{f"cropping{rank}d": {"cropping": margins(rank)} for rank in (1, 2, 3)},
}
"""What may be drawn for each kind; kinds that are not here have no arguments."""


@st.composite
def one_layer(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """Any layer, with a name that was there before as its source now and then."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    layer: dict[str, Any] = {"kind": kind, **draw(st.fixed_dictionaries(ARGUMENTS.get(kind, {})))}
    if kind in {"add", "multiply", "concatenate"}:
        several = st.lists(st.sampled_from(names), min_size=2, max_size=3)
        layer["from"] = draw(st.sampled_from(names) | several)
    return layer


def accepted(layers: list[dict[str, Any]], shape: tuple[int, ...]) -> bool:
    """Whether the layers fit together so far."""
    try:
        Layers.model_validate({"layers": layers}).outcomes(shape)
    except (ValidationError, PydanticCustomError):
        return False
    return True


@st.composite
def layer_lists(draw: st.DrawFn) -> tuple[list[dict[str, Any]], tuple[int, ...]]:
    """A list of layers, and the shape of the examples; most of them fit together and end flat."""
    shape = draw(st.sampled_from(SHAPES))
    careless = draw(st.integers(0, 5)) == 0
    layers: list[dict[str, Any]] = []
    names = ["inputs"]
    for number in range(draw(st.integers(1, 7))):
        fitting = [draw(one_layer(names)) for _ in range(8)]
        chosen = next((layer for layer in fitting if accepted([*layers, layer], shape)), None)
        if chosen is None and not careless:
            continue
        names.append(f"layer_{number}")
        layers.append((chosen or fitting[0]) | {"name": names[-1]})
    if not careless or draw(st.booleans()):
        layers.append({"kind": "flatten"})
    return layers, shape
