"""Points of a search space: the whole grid, each point exactly once, and stable keys for single points."""

import hashlib
import itertools
import json
from collections.abc import Iterator

from search_spaces.ranges import Fixed, Interval, Knob
from search_spaces.regularizers import REGULARIZERS, RegularizerSpec
from search_spaces.regularizers.base import AskedRange
from search_spaces.spec import StudySpec
from search_spaces.values import Point, Scalar


def point_key(point: Point) -> str:
    """A key that is equal for equal points (0 equals 0.0), whatever their order, on every machine; 32 hex digits."""
    plain = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in point.items()}
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def asked_knobs(spec: StudySpec) -> Iterator[tuple[str, str, Knob, AskedRange]]:
    """Each knob that the study mentions: regularizer, knob name, description, range."""
    for name, asked in spec.regularizers.items():
        for knob_name, knob, knob_range in asked.ranges():
            if knob_name in asked.model_fields_set:
                yield name, knob_name, knob, knob_range


def is_searched(asked: AskedRange) -> bool:
    """Whether a range holds more than one value."""
    return isinstance(asked, Interval) or len(asked.levels()) > 1


def count_grid(spec: StudySpec) -> int:
    """Number of points of the study's grid, without enumerating it."""
    total = 1
    for _, asked in spec.regularizers.items():
        inner = 1
        for knob_name, _, knob_range in asked.ranges():
            if knob_name in asked.model_fields_set:
                inner *= len(knob_range.levels() or ())
        total *= inner + (1 if asked.optional else 0)
    return total


def grid_points(spec: StudySpec) -> Iterator[Point]:
    """Every point of the study's grid, each exactly once, the first knob changing slowest.

    A study without regularizers has one point, the empty one.
    """
    parts = [tuple(_regularizer_points(name, asked)) for name, asked in spec.regularizers.items()]
    for combination in itertools.product(*parts):
        yield {key: value for part in combination for key, value in part.items()}


def _regularizer_points(name: str, asked: RegularizerSpec) -> Iterator[Point]:
    enabled: Point = {}
    if asked.optional:
        yield {f"{name}.enabled": False}
        enabled = {f"{name}.enabled": True}
    named = [
        (f"{name}.{knob_name}", knob_range.levels() or ())
        for knob_name, _, knob_range in asked.ranges()
        if knob_name in asked.model_fields_set
    ]
    for values in itertools.product(*(levels for _, levels in named)):
        yield enabled | dict(zip((key for key, _ in named), values, strict=True))


def off_point(spec: StudySpec) -> Point | None:
    """The study's point with every regularizer off; None where some regularizer cannot be off."""
    point: Point = {}
    for name, asked in spec.regularizers.items():
        if name == "early_stopping":
            part: Point | None = _first_point(name, asked)
        else:
            part = asked.off_point()
        if part is None:
            return None
        point |= {
            key: value for key, value in part.items() if key.split(".")[1] in asked.model_fields_set | {"enabled"}
        }
    return point


def _first_point(name: str, asked: RegularizerSpec) -> Point:
    return next(iter(_regularizer_points(name, asked.model_copy(update={"optional": False}))), {})


def is_off(point: Point, *, ignoring: frozenset[str] = frozenset({"early_stopping"})) -> bool:
    """Whether every regularizer does nothing at this point; early stopping, which changes no weight, is ignored."""
    return all(kind.is_off(point) for name, kind in REGULARIZERS.items() if name not in ignoring)


def is_excluded(spec: StudySpec, name: str, point: Point) -> bool:
    """Whether another regularizer that is on at a point excludes this one."""
    others = {other for group in spec.search.exclusive if name in group for other in group if other != name}
    return any(point.get(f"{other}.enabled") is True for other in others)


def settings(spec: StudySpec, point: Point) -> Point:
    """What training needs to know at a point: every knob of every regularizer that is on, defaults included."""
    complete: Point = {}
    for name, asked in spec.regularizers.items():
        if point.get(f"{name}.enabled") is False:
            continue
        for knob_name, _, knob_range in asked.ranges():
            key = f"{name}.{knob_name}"
            if key in point:
                complete[key] = point[key]
            elif isinstance(knob_range, Fixed):
                complete[key] = knob_range.value
    return complete


def level(point: Point, name: str, knob_name: str) -> Scalar | None:
    """The value of a knob at a point; None where its regularizer is off or absent."""
    return point.get(f"{name}.{knob_name}")
