"""From what a user wrote to a `StudySpec`, or to a refusal that names field, expected and received."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from search_spaces.presets import load_preset, preset_names
from search_spaces.spec import StudySpec
from service.documents import MAX_DOCUMENT_BYTES, parse_json, parse_yaml
from service.errors import InvalidStudySpecError
from service.refusals import refusals, show, suggestion

M = TypeVar("M", bound=BaseModel)


def parse_spec(data: Any) -> StudySpec:
    """Checks plain data against `StudySpec`.

    Raises:
        InvalidStudySpecError: With every fault found.
    """
    return parse(StudySpec, data)


def parse(model: type[M], data: Any) -> M:
    """Checks plain data against a model, with JSON's types taken strictly: "1" is no number, 1.0 no integer.

    Raises:
        InvalidStudySpecError: With every fault found.
    """
    try:
        text = json.dumps(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refused("numbers, text, lists and mappings", str(error)) from None
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InvalidStudySpecError(refusals(error, model, json.loads(text))) from None


def load_study(name_or_path: str) -> StudySpec:
    """The study of a preset's name, or of a YAML or JSON file.

    Raises:
        InvalidStudySpecError: There is neither, or the file holds no valid study.
    """
    if name_or_path in preset_names():
        return load_preset(name_or_path).study
    path = Path(name_or_path)
    if not path.is_file():
        presets = ", ".join(preset_names())
        hint = suggestion(name_or_path, preset_names())
        raise _refused(f"a YAML or JSON file, or one of the presets {presets}{hint}", name_or_path)
    return parse_spec(_read(path))


def read_document(path: Path, *, field: str = "study") -> bytes:
    """The text of a file that is to be parsed.

    Raises:
        InvalidStudySpecError: There is no such file, or it is too long.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise _refused("a readable file", f"{path}: {error.strerror}", field) from None
    if len(text) > MAX_DOCUMENT_BYTES:
        raise _refused(f"a file of at most {MAX_DOCUMENT_BYTES:,} bytes", f"{path.stat().st_size:,} bytes", field)
    return text


def _read(path: Path) -> Any:
    text = read_document(path)
    data = parse_json(text, field="study") if path.suffix == ".json" else parse_yaml(text)
    if not isinstance(data, dict):
        raise _refused("a mapping with the keys of a study", show(data))
    return data


def _refused(expected: str, received: str, field: str = "study") -> InvalidStudySpecError:
    return InvalidStudySpecError([{"field": field, "expected": expected, "received": received}])
