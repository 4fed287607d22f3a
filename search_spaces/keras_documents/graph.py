"""Where each layer's inputs come from."""

from collections.abc import Sequence
from typing import Any

from search_spaces.keras_documents.document import Faults, KerasGraph, KerasLayer, leaves

TENSOR = "__keras_tensor__"


def sources(layer: KerasLayer, faults: Faults, *, masked: bool) -> list[str]:
    """Names of the layers whose outputs this one takes, in order.

    Args:
        layer: The layer.
        faults: Takes what is no such output.
        masked: Whether the model has masks of Keras' own, so that calls may be given one.
    """
    if len(layer.inbound_nodes) != 1:
        faults.add(layer.label, "a layer that is used once", f"one used {len(layer.inbound_nodes)} times")
        return []
    node = layer.inbound_nodes[0]
    if isinstance(node, dict):
        kwargs = node.get("kwargs", {})
        if masked and isinstance(kwargs, dict):
            kwargs = {key: value for key, value in kwargs.items() if key != "mask"}
        return _of_calls(layer, node.get("args", []), kwargs, faults)
    return _of_lists(layer, node, faults)


def _of_calls(layer: KerasLayer, args: Any, kwargs: Any, faults: Faults) -> list[str]:
    """Keras 3: positional and named arguments, with tensors among them."""
    named = kwargs if isinstance(kwargs, dict) else {"kwargs": kwargs}
    found = []
    for leaf in leaves([args, [named.get(key) for key in ("query", "value", "key")]]):
        if isinstance(leaf, dict) and leaf.get("class_name") == TENSOR:
            found.append(_origin(layer, leaf.get("config", {}), faults))
        elif leaf is not None:
            faults.add(layer.label, "layers as inputs", leaf)
    for key, value in named.items():
        if key not in {"query", "value", "key"} and value is not None and value is not False:
            faults.add(f"{layer.label}.{key}", "nothing in its call", value)
    return found


def _origin(layer: KerasLayer, config: Any, faults: Faults) -> str:
    history = config.get("keras_history") if isinstance(config, dict) else None
    return _name(layer, history, faults)


def _of_lists(layer: KerasLayer, node: Any, faults: Faults) -> list[str]:
    """Keras 2: a list of `[name, node, tensor, arguments]`."""
    return [_name(layer, item, faults) for item in node] if isinstance(node, list) else [_name(layer, node, faults)]


def _name(layer: KerasLayer, history: Any, faults: Faults) -> str:
    if isinstance(history, list) and len(history) >= 3 and isinstance(history[0], str) and history[1:3] == [0, 0]:
        if len(history) > 3 and history[3]:
            faults.add(layer.label, "a call without arguments", history[3])
        return history[0]
    faults.add(layer.label, "the only output of another layer", history)
    return ""


def ends(graph: KerasGraph, faults: Faults) -> str:
    """Name of the layer that gives the model's output, of which there must be one, as of inputs."""
    for what, value in (("inputs", graph.input_layers), ("outputs", graph.output_layers)):
        if len(_ends(value)) != 1:
            faults.add(what, f"one of the model's {what}", f"{len(_ends(value))}")
    faults.stop()
    return _ends(graph.output_layers)[0]


def _ends(value: Sequence[Any]) -> list[str]:
    """Names of layers, from `[name, 0, 0]` or a list of such."""
    if value and isinstance(value[0], str):
        return [value[0]]
    return [item[0] for item in value if isinstance(item, list) and item and isinstance(item[0], str)]
