"""Points that users add to a study themselves: checked, and written as the study's own points are."""

from typing import NoReturn

from search_spaces.grids import is_excluded
from search_spaces.ranges import Fixed
from search_spaces.regularizers import RegularizerSpec
from search_spaces.spec import StudySpec
from search_spaces.values import Point, Scalar
from service.errors import InvalidStudySpecError


def complete_point(spec: StudySpec, point: Point, field: str) -> Point:
    """The point with fixed knobs filled in, keys in the study's order.

    Values may lie outside what the study searches, but not outside what a knob accepts; every regularizer may be off
    (`<name>.enabled: false`).

    Args:
        spec: The study.
        point: What the user sent.
        field: Where it stood, for the error.

    Raises:
        InvalidStudySpecError: A knob is unknown, missing, or its value is not accepted.
    """
    known = dict(spec.regularizers.items())
    allowed = [f"{name}.{knob}" for name, asked in known.items() for knob in (*_knobs(asked), "enabled")]
    if unknown := [key for key in point if key not in allowed]:
        _refuse(f"{field}.{unknown[0]}", f"one of {', '.join(allowed) or 'no keys'}", unknown[0])
    complete: Point = {}
    for name, asked in known.items():
        complete |= _part(name, asked, point, field)
        if complete.get(f"{name}.enabled") and is_excluded(spec, name, complete):
            _refuse(f"{field}.{name}.enabled", "false, since a regularizer that excludes it is on", "true")
    return complete


def _knobs(asked: RegularizerSpec) -> list[str]:
    return [knob for knob in asked.knobs() if knob in asked.model_fields_set]


def _part(name: str, asked: RegularizerSpec, point: Point, field: str) -> Point:
    enabled = point.get(f"{name}.enabled", True)
    if not isinstance(enabled, bool):
        _refuse(f"{field}.{name}.enabled", "true or false", enabled)
    if not enabled:
        if superfluous := [key for key in (f"{name}.{knob}" for knob in _knobs(asked)) if key in point]:
            _refuse(f"{field}.{superfluous[0]}", f"nothing, since {name} is off", point[superfluous[0]])
        return {f"{name}.enabled": False}
    part: Point = {f"{name}.enabled": True} if asked.optional else {}
    for knob_name, knob, knob_range in asked.ranges():
        key = f"{name}.{knob_name}"
        if knob_name not in asked.model_fields_set:
            continue
        value = point.get(key, knob_range.value if isinstance(knob_range, Fixed) else None)
        if value is None:
            _refuse(f"{field}.{key}", knob.expected(), "nothing")
        if not knob.accepts(value):
            _refuse(f"{field}.{key}", knob.expected(), value)
        part[key] = value
    return part


def _refuse(field: str, expected: str, received: Scalar) -> NoReturn:
    raise InvalidStudySpecError([{"field": field, "expected": expected, "received": str(received)}])
