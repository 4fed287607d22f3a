"""What pydantic found wrong, said as people need it: which field, what was expected, what was received."""

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

KINDS = {
    "bool_type": "true or false",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "json_invalid": "finite numbers and well-formed Unicode text",
}
"""What is expected, by pydantic's error type; any other type is expected what its message says."""

PREFIXES = {
    "Input should be greater than or equal to ": "at least ",
    "Input should be less than or equal to ": "at most ",
    "Input should be greater than ": "above ",
    "Input should be less than ": "below ",
    "Input should be ": "",
    "Input should ": "",
    "String should match ": "text matching ",
    "expected ": "",
}
"""How pydantic's messages begin, and what to say instead."""

SCALARS = "a number, a word, true or false"

Fault = dict[str, str]
"""`field`, `expected` and `received`."""


def refusals(error: ValidationError, model: type[BaseModel], data: Any, *, root: str = "study") -> list[Fault]:
    """Every fault of a validation, one entry per field.

    Args:
        error: What pydantic raised.
        model: The model that was asked for.
        data: What was received.
        root: Name for faults of the whole, which have no field.
    """
    faults: dict[str, list[Fault]] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail, data)
        fault = _fault(detail, _models_at(model, path, data), path, root)
        faults.setdefault(fault["field"], []).append(fault)
    return [_merged(same_field) for same_field in faults.values()]


def show(value: Any) -> str:
    """A received value as short, printable text."""
    text = json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 100 else f"{text[:97]}..."


def suggestion(word: Any, allowed: Iterable[str]) -> str:
    """A hint at the allowed word that was probably meant; empty if none comes near."""
    near = difflib.get_close_matches(str(word), list(allowed), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _fault(detail: ErrorDetails, models: Sequence[type[BaseModel]], path: list[str | int], root: str) -> Fault:
    context = detail.get("ctx", {})
    kind = detail["type"]
    received = show(detail["input"])
    if {"expected", "received"} <= context.keys():
        path = [context["field"]] if "field" in context else path
        words = str(context["expected"])
        hint = suggestion(context["received"], words.split(", ")) if kind == "one_of" else ""
        expected, received = ("one of " if kind == "one_of" else "") + words + hint, str(context["received"])
    elif kind == "extra_forbidden":
        allowed = _keys(models)
        expected, received = f"one of the keys {', '.join(allowed)}{suggestion(path[-1], allowed)}", str(path[-1])
    elif kind == "missing":
        expected, received = "a value (the key is required)", "nothing"
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        key = context["discriminator"].strip("'")
        words = ", ".join(_words(models, key))
        path, expected = [*path, key], f"one of {words}{suggestion(context.get('tag'), words.split(', '))}"
        received = str(context.get("tag", "nothing"))
    elif kind in {"model_type", "model_attributes_type", "dict_type"} and models:
        expected = f"a mapping with the keys {', '.join(_keys(models))}"
    else:
        expected, received = _from_message(detail, received)
    return {"field": ".".join(map(str, path)) or root, "expected": expected, "received": received}


def _from_message(detail: ErrorDetails, received: str) -> tuple[str, str]:
    text = str(detail.get("ctx", {}).get("message", detail["msg"])).removeprefix("Value error, ")
    expected, separator, named = text.partition(", received ")
    if separator:
        return expected, named
    return KINDS.get(detail["type"], in_words(expected)), received


def in_words(message: str) -> str:
    """What pydantic's message expects, as the end of a sentence that begins with "expected"."""
    for prefix, instead in PREFIXES.items():
        if message.startswith(prefix):
            return instead + message.removeprefix(prefix)
    return message


def _merged(faults: list[Fault]) -> Fault:
    expected = list(dict.fromkeys(fault["expected"] for fault in faults))
    if {"true or false", "text"} <= set(expected):
        expected = ["a finite number, a word, true or false" if "a finite number" in expected else SCALARS]
    elif "a number" in expected and "an integer" in expected:
        expected.remove("an integer")
    return {**faults[0], "expected": " or ".join(expected)}


def _path(detail: ErrorDetails, data: Any) -> list[str | int]:
    """The error's place without the names of union members that pydantic puts between keys."""
    if detail["type"] == "missing":
        return [*_kept(detail["loc"][:-1], data), detail["loc"][-1]]
    return _kept(detail["loc"], data)


def _kept(location: Sequence[str | int], data: Any) -> list[str | int]:
    if not location:
        return []
    without_head = _kept(location[1:], data)
    try:
        with_head = [location[0], *_kept(location[1:], data[location[0]])]
    except (LookupError, TypeError):
        return without_head
    return max(with_head, without_head, key=lambda path: (path[-1:] == [location[-1]], len(path)))


def _models_at(model: type[BaseModel], path: Sequence[str | int], data: Any) -> list[type[BaseModel]]:
    """The models that may stand where a fault is, the likeliest only where the data tells."""
    models = [model]
    for key in path:
        if isinstance(key, int) and isinstance(data, list):
            data = data[key]
            models = _likeliest(models, data)
            continue
        fields = [m.model_fields[key] for m in models if isinstance(key, str) and key in m.model_fields]
        if not fields:
            break
        data = data.get(key) if isinstance(data, dict) else None
        models = _likeliest(list(_models_in(field.annotation for field in fields)), data)
    return models


def _models_in(annotations: Iterable[Any]) -> Iterator[type[BaseModel]]:
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        elif get_origin(annotation) is not Literal:
            yield from _models_in(get_args(annotation))


def _likeliest(models: list[type[BaseModel]], data: Any) -> list[type[BaseModel]]:
    if not isinstance(data, dict) or not models:
        return models

    def likeness(model: type[BaseModel]) -> int:
        literals = {
            key: get_args(f.annotation) for key, f in model.model_fields.items() if get_origin(f.annotation) is Literal
        }
        matches = sum(1 if data[key] in words else -1 for key, words in literals.items() if key in data)
        return 100 * matches + len(model.model_fields.keys() & data.keys())

    best = max(map(likeness, models))
    return [model for model in models if likeness(model) == best]


def _keys(models: Iterable[type[BaseModel]]) -> list[str]:
    return list(dict.fromkeys(field.alias or key for model in models for key, field in model.model_fields.items()))


def _words(models: Iterable[type[BaseModel]], key: str) -> list[str]:
    fields = [model.model_fields[key] for model in models if key in model.model_fields]
    return [str(word) for field in fields for word in get_args(field.annotation)]
