"""JSON and YAML text to plain data, with what the standard parsers let pass refused: repeated keys, NaN, aliases."""

import json
import re
from collections import Counter
from typing import Any, NoReturn

import yaml

from service.errors import InvalidStudySpecError

MAX_DOCUMENT_BYTES = 2**20


def parse_json(text: bytes, *, field: str = "body") -> Any:
    """Parses JSON.

    Raises:
        InvalidStudySpecError: The text is not JSON, repeats a key, or holds NaN or infinity.
    """
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except RecursionError:
        raise _refused(field, "JSON nested less deeply", "JSON nested too deeply") from None
    except ValueError as error:
        raise _refused(field, "JSON without repeated keys, NaN or infinity", str(error)) from None


def parse_yaml(text: bytes, *, field: str = "study") -> Any:
    """Parses YAML with the safe types only.

    Numbers such as `1e-4` are numbers, as in YAML 1.2. Aliases are refused: a few of them expand without bound.

    Raises:
        InvalidStudySpecError: The text is not YAML, repeats a key or uses an alias.
    """
    try:
        return _StudyLoader(text.decode()).get_single_data()
    except RecursionError:
        raise _refused(field, "YAML nested less deeply", "YAML nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        raise _refused(field, "YAML without repeated keys or aliases", " ".join(str(error).split())) from None


def _refused(field: str, expected: str, received: str) -> InvalidStudySpecError:
    readable = received.encode("utf-8", "backslashreplace").decode()[:500]
    return InvalidStudySpecError([{"field": field, "expected": expected, "received": readable}])


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    merged = dict(pairs)
    if len(merged) < len(pairs):
        repeated, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        msg = f"key {repeated!r} twice"
        raise ValueError(msg)
    return merged


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class _StudyLoader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias", parent.start_mark if parent else None)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        repeated = [key for i, key in enumerate(keys) if key in keys[:i]]
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"key {repeated[0]!r} twice", node.start_mark)
        return super().construct_mapping(node, deep)


_StudyLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)
