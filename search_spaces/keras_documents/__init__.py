"""Keras models that were written as JSON, translated into the family `layers`."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from search_spaces.keras_documents.arguments import OPERATIONS, arguments
from search_spaces.keras_documents.document import Faults, KerasGraph, KerasLayer, KerasModel, UntranslatableModelError
from search_spaces.keras_documents.graph import ends, sources
from search_spaces.models.kinds import KINDS
from search_spaces.models.kinds.merging import Merge
from search_spaces.models.layers import INPUTS, LOGITS

__all__ = ["Translation", "UntranslatableModelError", "translate"]

MAX_KERAS_LAYERS = 1000
INPUT_LAYER = "InputLayer"


@dataclass(frozen=True)
class Translation:
    """A model in our words, not yet checked.

    Attributes:
        layers: The list for the family `layers`, without the layer that gives the classes.
        labels: What Keras calls each of them.
        input_shape: Shape of one example; None where the document does not say.
        n_classes: How many classes the model tells apart.
    """

    layers: tuple[dict[str, Any], ...]
    labels: tuple[str, ...]
    input_shape: tuple[int, ...] | None
    n_classes: int


@dataclass
class _Node:
    label: str
    fields: dict[str, Any]
    sources: list[str]


def translate(document: Any) -> Translation:
    """Reads a Keras model's own JSON, sequential or functional, with one input and one output.

    Dropout and noise keep their rates, as fixed layers. The last Dense, with its softmax or sigmoid, becomes our
    logits. Masks that Keras has derived are left out: our layers derive them again.

    Args:
        document: The JSON as plain data. It is only read: no class that it names is looked up or made.

    Raises:
        UntranslatableModelError: Every layer and argument for which there are no words.
    """
    graph = _parsed(document)
    faults = Faults()
    if document["class_name"] == "Sequential":
        _chain(graph)
    output = ends(graph, faults)
    shape = _input_shape(graph, faults)
    nodes = _nodes(graph, output, faults)
    faults.stop()
    nodes, n_classes = _without_logits(nodes, output, faults)
    faults.stop()
    return _listed(nodes, graph, shape, n_classes)


def _parsed(document: Any) -> KerasGraph:
    faults = Faults()
    try:
        model = KerasModel.model_validate(document)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            field = ".".join(map(str, detail["loc"])) or "document"
            faults.add(field, f"what Keras' to_json() writes ({detail['msg']})", detail["input"])
        raise UntranslatableModelError(faults.found) from None
    if model.class_name not in {"Sequential", "Functional", "Model"}:
        faults.add("class_name", "Sequential or Functional", model.class_name)
    if not 1 <= len(model.config.layers) <= MAX_KERAS_LAYERS:
        faults.add("config.layers", f"1 to {MAX_KERAS_LAYERS} layers", f"{len(model.config.layers)}")
    faults.stop()
    return model.config


def _chain(graph: KerasGraph) -> None:
    """Gives a sequential model the connections that a functional one writes down."""
    if graph.layers[0].class_name != INPUT_LAYER:
        first = graph.layers[0]
        shape = first.config.get("batch_input_shape") or graph.build_input_shape
        if shape is None and first.build_config is not None:
            shape = first.build_config.get("input_shape")
        config = {"name": f"{first.label}_input", "batch_shape": shape}
        graph.layers.insert(0, KerasLayer(class_name=INPUT_LAYER, config=config))
    for before, layer in zip(graph.layers[:-1], graph.layers[1:], strict=True):
        layer.inbound_nodes = [[[before.label, 0, 0]]]
    graph.input_layers = [graph.layers[0].label, 0, 0]
    graph.output_layers = [graph.layers[-1].label, 0, 0]


def _input_shape(graph: KerasGraph, faults: Faults) -> tuple[int, ...] | None:
    inputs = [layer for layer in graph.layers if layer.class_name == INPUT_LAYER]
    if len(inputs) != 1:
        faults.add("inputs", "one input layer", f"{len(inputs)}")
        return None
    shape = inputs[0].config.get("batch_shape", inputs[0].config.get("batch_input_shape"))
    if shape is None:
        return None
    sizes = shape[1:] if isinstance(shape, list) else []
    if not sizes or any(type(size) is not int or size < 1 for size in sizes):
        faults.add(f"{inputs[0].label}.batch_shape", "a fixed size of every axis after the first", shape)
        return None
    return tuple(sizes)


def _nodes(graph: KerasGraph, output: str, faults: Faults) -> list[_Node]:
    """The layers in order, without the operations that make nothing but masks."""
    has_masks = any(layer.class_name == "Masking" or layer.config.get("mask_zero") is True for layer in graph.layers)
    needed, nodes = {output}, []
    for layer in reversed(graph.layers):
        if layer.class_name == INPUT_LAYER or (has_masks and layer.is_operation and layer.label not in needed):
            continue
        own = Faults()
        nodes.append(_node(layer, own, masked=has_masks))
        needed.update(nodes[-1].sources)
        faults.found[:0] = own.found
    return nodes[::-1]


def _node(layer: KerasLayer, faults: Faults, *, masked: bool) -> _Node:
    taken = sources(layer, faults, masked=masked)
    module = layer.module or "keras.layers"
    if layer.is_operation and layer.class_name in OPERATIONS:
        return _Node(layer.label, {"kind": OPERATIONS[layer.class_name]}, taken)
    if not module.startswith(("keras.layers", "keras.src.layers", "keras.src.engine", "tensorflow.keras.layers")):
        faults.add(layer.label, "a layer of Keras' own", f"{module}.{layer.class_name}")
        return _Node(layer.label, {}, taken)
    fields = arguments(layer, faults, rank=_rank(layer)) or {}
    if fields.get("kind") == "multi_head_attention":
        if len(set(taken)) > 1:
            faults.add(layer.label, "attention of a sequence to itself", " and ".join(dict.fromkeys(taken)))
        taken = taken[:1]
    elif fields and len(taken) > 1 and not issubclass(KINDS[fields["kind"]], Merge):
        faults.add(layer.label, "one input", f"{len(taken)}: {', '.join(taken)}")
    return _Node(layer.label, fields, taken)


def _rank(layer: KerasLayer) -> int | None:
    shape = (layer.build_config or {}).get("input_shape")
    return len(shape) - 1 if isinstance(shape, list) and shape and not isinstance(shape[0], list) else None


def _without_logits(nodes: list[_Node], output: str, faults: Faults) -> tuple[list[_Node], int]:
    """The layers before the one that gives the classes, and the number of classes."""
    by_name = {node.label: node for node in nodes}
    last = by_name.get(output)
    activation = None
    if last is not None and last.fields["kind"] == "activation":
        activation, last = last, by_name.get(last.sources[0])
    if last is None or last.fields["kind"] != "dense":
        kind = "nothing" if last is None else last.fields["kind"]
        faults.add(output, "a Dense layer that gives the classes at the end", kind)
        return [], 0
    units = last.fields.get("units")
    said = (activation or last).fields.get("activation", "linear")
    if activation is not None and last.fields.get("activation", "linear") != "linear":
        faults.add(f"{last.label}.activation", "linear, since an activation follows", last.fields["activation"])
    wanted = ("linear", "sigmoid") if units == 1 else ("linear", "softmax")
    if said not in wanted:
        faults.add(f"{output}.activation", f"{' or '.join(wanted)} over {units} outputs", said)
    for key, value in (("use_bias", True), ("kernel_initializer", "glorot_uniform")):
        if last.fields.get(key, value) != value:
            faults.add(f"{last.label}.{key}", f"{value}, as in our last layer", last.fields[key])
    if type(units) is not int or units < 1:
        faults.add(f"{last.label}.units", "a number of classes", units)
        return [], 0
    rest = [node for node in nodes if node is not last and node is not activation]
    if rest and rest[-1].label != last.sources[0]:
        faults.add(last.label, "the layer that all others lead to", f"one that takes {last.sources[0]}")
    return rest, max(units, 2)


def _listed(nodes: list[_Node], graph: KerasGraph, shape: tuple[int, ...] | None, n_classes: int) -> Translation:
    names = {layer.label: INPUTS for layer in graph.layers if layer.class_name == INPUT_LAYER}
    for node in nodes:
        names[node.label] = _free(node.label, set(names.values()))
    layers = []
    before = INPUTS
    for node in nodes:
        taken = [names.get(source, source) for source in node.sources]
        where: dict[str, Any] = {}
        if issubclass(KINDS[node.fields["kind"]], Merge):
            where = {"from": taken[1] if len(taken) == 2 and taken[0] == before else taken}
        elif taken != [before]:
            where = {"from": taken[0]}
        before = names[node.label]
        layers.append({"kind": node.fields["kind"], "name": before, **where, **node.fields})
    return Translation(tuple(layers), tuple(node.label for node in nodes), shape, n_classes)


def _free(label: str, taken: set[str]) -> str:
    """A name for a layer that our rules allow and no other layer has."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", label)[:90]
    name = name if name[:1].isalpha() else f"layer_{name}"
    number = 2
    chosen = name
    while chosen in taken | {INPUTS, LOGITS}:
        chosen, number = f"{name}_{number}", number + 1
    return chosen
