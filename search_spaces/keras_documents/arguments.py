"""One layer's arguments, as Keras writes them, in our words."""

from typing import Any

from search_spaces.keras_documents.document import Faults, KerasLayer, class_of
from search_spaces.models.kinds import KINDS
from search_spaces.models.kinds.base import rank_of

_RANKED = {
    "Conv{}D": "conv{}d",
    "DepthwiseConv{}D": "depthwise_conv{}d",
    "SeparableConv{}D": "separable_conv{}d",
    "MaxPooling{}D": "max_pooling{}d",
    "AveragePooling{}D": "average_pooling{}d",
    "GlobalMaxPooling{}D": "global_max_pooling{}d",
    "GlobalAveragePooling{}D": "global_average_pooling{}d",
    "ZeroPadding{}D": "zero_padding{}d",
    "Cropping{}D": "cropping{}d",
    "UpSampling{}D": "up_sampling{}d",
}
_PLAIN = {
    "Dense": "dense",
    "Activation": "activation",
    "Embedding": "embedding",
    "MultiHeadAttention": "multi_head_attention",
    "Masking": "masking",
    "Rescaling": "rescaling",
    "LSTM": "lstm",
    "GRU": "gru",
    "SimpleRNN": "simple_rnn",
    "Bidirectional": "bidirectional",
    "TimeDistributed": "time_distributed",
    "BatchNormalization": "batch_normalization",
    "LayerNormalization": "layer_normalization",
    "GroupNormalization": "group_normalization",
    "Dropout": "dropout",
    "GaussianDropout": "gaussian_dropout",
    "AlphaDropout": "alpha_dropout",
    "GaussianNoise": "gaussian_noise",
    "Flatten": "flatten",
    "Reshape": "reshape",
    "Permute": "permute",
    "RepeatVector": "repeat_vector",
    "Add": "add",
    "Multiply": "multiply",
    "Concatenate": "concatenate",
    **{f"SpatialDropout{rank}D": "spatial_dropout" for rank in (1, 2, 3)},
}
CLASSES = _PLAIN | {
    name.format(rank): kind.format(rank)
    for name, kind in _RANKED.items()
    for rank in (1, 2, 3)
    if kind.format(rank) in KINDS
}
"""Class of a Keras layer to our kind."""

OPERATIONS = {"Add": "add", "Multiply": "multiply"}
"""`a + b` and `a * b` between layers."""

UNIMPORTANT = {"name", "seed", "unroll", "synchronized", "renorm_momentum", "batch_input_shape", "batch_shape"}
"""Arguments that change nothing in what is computed."""

EXPECTED: dict[str, tuple[Any, ...]] = {
    "trainable": (True,),
    "dtype": ("float32",),
    "data_format": ("channels_last",),
    "groups": (1,),
    "center": (True,),
    "scale": (True,),
    "renorm": (False,),
    "rms_scaling": (False,),
    "return_state": (False,),
    "stateful": (False,),
    "time_major": (False,),
    "zero_output_for_mask": (False,),
    "recurrent_activation": ("sigmoid",),
    "reset_after": (True,),
    "unit_forget_bias": (True,),
    "use_bias": (True,),
    "use_gate": (False,),
    "attention_axes": ([1],),
    "interpolation": ("nearest",),
    "axis": (-1, [-1]),
}
"""Values that an argument may have which our kind of layer does not know; None is fine for all."""

INITIALIZERS = {
    "kernel_initializer": "GlorotUniform",
    "depthwise_initializer": "GlorotUniform",
    "pointwise_initializer": "GlorotUniform",
    "recurrent_initializer": "Orthogonal",
    "embeddings_initializer": "RandomUniform",
    "bias_initializer": "Zeros",
    "beta_initializer": "Zeros",
    "gamma_initializer": "Ones",
    "moving_mean_initializer": "Zeros",
    "moving_variance_initializer": "Ones",
}
"""Keras' own, which our layers are built with."""

NEUTRAL = {"gain": 1.0, "minval": -0.05, "maxval": 0.05}
"""Arguments of those initializers, as they are by default."""

CHOICES = {
    "GlorotUniform": "glorot_uniform",
    "GlorotNormal": "glorot_normal",
    "HeUniform": "he_uniform",
    "HeNormal": "he_normal",
    "LecunUniform": "lecun_uniform",
    "LecunNormal": "lecun_normal",
    "Orthogonal": "orthogonal",
}
"""Initializers that a layer may choose from."""

EXTENTS = {"kernel_size", "strides", "pool_size", "size", "dilation_rate"}


def arguments(layer: KerasLayer, faults: Faults, *, rank: int | None = None) -> dict[str, Any] | None:
    """The layer in our words; None where there are none, and then `faults` says why.

    Args:
        layer: What Keras wrote.
        faults: Takes every argument that cannot be translated.
        rank: Number of axes of its inputs for one example, where it is known; `axis` may count from the front.
    """
    config = {key: value for key, value in layer.config.items() if key not in UNIMPORTANT}
    if layer.class_name in _ACTIVATIONS:
        return _activation(layer, config, faults)
    kind = CLASSES.get(layer.class_name)
    if kind is None:
        faults.add(layer.label, "a layer of a kind that the family layers has (docs/models.md)", layer.class_name)
        return None
    if kind in {"bidirectional", "time_distributed"}:
        return _wrapped(layer, kind, config, faults)
    if rank is not None and config.get("axis") in (rank, [rank]) and "axis" not in KINDS[kind].model_fields:
        del config["axis"]
    return {"kind": kind} | _fields(layer.label, kind, config, faults)


def _fields(label: str, kind: str, config: dict[str, Any], faults: Faults) -> dict[str, Any]:
    known = set(KINDS[kind].model_fields) - {"kind", "name", "source", "layer"}
    fields: dict[str, Any] = {}
    if config.get("value_dim") == config.get("key_dim"):
        config = {key: value for key, value in config.items() if key != "value_dim"}
    for key, value in config.items():
        if key in known:
            fields[key] = _value(f"{label}.{key}", kind, key, value, faults)
        else:
            _expect(f"{label}.{key}", key, value, faults)
    return fields


def _value(field: str, kind: str, key: str, value: Any, faults: Faults) -> Any:
    if key == "kernel_initializer":
        name = class_of(value)
        if name not in CHOICES or not _is_neutral(value):
            faults.add(field, f"one of {', '.join(CHOICES)}, without arguments", _initializer_text(value))
        return CHOICES.get(name or "", name)
    if key == "activation" and not isinstance(value, str):
        faults.add(field, "the name of an activation", class_of(value) or value)
        return "linear"
    if key in EXTENTS and isinstance(value, list) and len(set(map(str, value))) == 1:
        return value[0]
    if key in {"padding", "cropping"} and isinstance(value, list) and rank_of(kind) == 1:
        return [value]
    return value


def _expect(field: str, key: str, value: Any, faults: Faults) -> None:
    if value is None:
        return
    if key in INITIALIZERS:
        if class_of(value) != INITIALIZERS[key] or not _is_neutral(value):
            faults.add(field, f"{INITIALIZERS[key]}, as Keras has it by default", _initializer_text(value))
        return
    if key == "dtype":
        value = value.get("config", {}).get("name") if isinstance(value, dict) else value
    allowed = EXPECTED.get(key, ())
    if not any(value == one and type(value) is type(one) for one in allowed):
        hint = "nothing (a study's regularizers do this)" if key.endswith(("regularizer", "constraint")) else "nothing"
        faults.add(field, " or ".join(map(str, allowed)) or hint, class_of(value) or value)


def _is_neutral(value: Any) -> bool:
    config = value.get("config", {}) if isinstance(value, dict) else {}
    given = config.items() if isinstance(config, dict) else [("config", config)]
    return all(v is None or key in {"seed", "dtype"} or NEUTRAL.get(key) == v for key, v in given)


def _initializer_text(value: Any) -> str:
    config = value.get("config") if isinstance(value, dict) else None
    return f"{class_of(value)} {config}" if config and not _is_neutral(value) else str(class_of(value) or value)


def _activation(layer: KerasLayer, config: dict[str, Any], faults: Faults) -> dict[str, Any]:
    activation, expected = _ACTIVATIONS[layer.class_name]
    if layer.class_name == "ReLU" and config.get("max_value") == 6:
        activation, expected = "relu6", expected | {"max_value": (6,)}
    for key, value in config.items():
        if key in expected:
            if value not in expected[key]:
                faults.add(f"{layer.label}.{key}", " or ".join(map(str, expected[key])), value)
        else:
            _expect(f"{layer.label}.{key}", key, value, faults)
    return {"kind": "activation", "activation": activation}


_ACTIVATIONS: dict[str, tuple[str, dict[str, tuple[Any, ...]]]] = {
    "ReLU": ("relu", {"max_value": (None,), "negative_slope": (0, None), "threshold": (0, None)}),
    "LeakyReLU": ("leaky_relu", {"negative_slope": (0.2,), "alpha": (0.2,)}),
    "ELU": ("elu", {"alpha": (1,)}),
    "Softmax": ("softmax", {"axis": (-1,)}),
}
"""Layers that are an activation, with the arguments for which they are."""


def _wrapped(layer: KerasLayer, kind: str, config: dict[str, Any], faults: Faults) -> dict[str, Any] | None:
    inner, backward = config.pop("layer", None), config.pop("backward_layer", None)
    if not isinstance(inner, dict) or not isinstance(inner.get("config"), dict):
        faults.add(f"{layer.label}.layer", "a layer", inner)
        return None
    inner_kind = CLASSES.get(str(inner.get("class_name")))
    allowed = {"dense"} if kind == "time_distributed" else {"lstm", "gru", "simple_rnn"}
    if inner_kind not in allowed:
        faults.add(f"{layer.label}.layer", f"one of {', '.join(sorted(allowed))}", inner.get("class_name"))
        return None
    label = f"{layer.label}.layer"
    fields = _fields(label, inner_kind, _inner_config(inner), faults)
    if isinstance(backward, dict) and isinstance(backward.get("config"), dict):
        other = _fields(label, inner_kind, _inner_config(backward), Faults())
        if backward.get("class_name") != inner.get("class_name") or other | {"go_backwards": False} != fields:
            faults.add(f"{layer.label}.backward_layer", "the layer itself, backwards", backward.get("class_name"))
    return {"kind": kind, "layer": {"kind": inner_kind} | fields} | _fields(layer.label, kind, config, faults)


def _inner_config(inner: dict[str, Any]) -> dict[str, Any]:
    """An inner layer's arguments; Bidirectional sets `zero_output_for_mask` by itself."""
    return {k: v for k, v in inner["config"].items() if k not in UNIMPORTANT | {"zero_output_for_mask"}}
