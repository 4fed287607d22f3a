"""What a Keras model says of itself as JSON, read as plain data; nothing of it is ever made or called."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

Fault = dict[str, str]
"""`field`, `expected` and `received`."""

MAX_SHOWN = 80


class UntranslatableModelError(Exception):
    """The document holds what the family `layers` has no words for.

    Attributes:
        faults: For each layer or argument its name, what was expected and what was received.
    """

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{f['field']}: expected {f['expected']}; received {f['received']}" for f in faults))
        self.faults = faults


class KerasLayer(BaseModel):
    """One layer: its class, its arguments, and where its inputs come from."""

    class_name: str
    config: dict[str, Any]
    module: str | None = None
    name: str | None = None
    inbound_nodes: list[Any] = Field(default_factory=list)
    build_config: dict[str, Any] | None = None

    @property
    def is_operation(self) -> bool:
        """Whether it is a function of tensors, such as `a + b`, and no layer that somebody made."""
        return (self.module or "").startswith("keras.src.ops")

    @property
    def label(self) -> str:
        """Its name, or its class where it has none."""
        own = self.name or self.config.get("name")
        return own if isinstance(own, str) and own else self.class_name


class KerasGraph(BaseModel):
    """The layers of a model."""

    layers: list[KerasLayer]
    input_layers: list[Any] = Field(default_factory=list)
    output_layers: list[Any] = Field(default_factory=list)
    build_input_shape: list[Any] | None = None


class KerasModel(BaseModel):
    """A whole document."""

    class_name: str
    config: KerasGraph


@dataclass
class Faults:
    """What was found wrong so far."""

    found: list[Fault] = field(default_factory=list)

    def add(self, name: str, expected: str, received: Any) -> None:
        """Notes one fault."""
        self.found.append({"field": name, "expected": expected, "received": show(received)})

    def stop(self) -> None:
        """Ends the translation if anything was wrong.

        Raises:
            UntranslatableModelError: With all of it.
        """
        if self.found:
            raise UntranslatableModelError(self.found)


def show(value: Any) -> str:
    """A received value as short, printable text."""
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def class_of(value: Any) -> str | None:
    """The class that a serialized object names; a plain word stands for itself."""
    name = value.get("class_name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else None


def leaves(value: Any) -> Iterator[Any]:
    """Tensors and plain values in nested lists, in order; without recursion, as the document may be hostile."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(reversed(item))
        else:
            yield item
