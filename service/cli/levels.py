"""Levels of a knob as written on the command line: `0.1`, `a,b,c` or `low:high:step`."""

import re
from decimal import Decimal
from typing import Any

from search_spaces.ranges import MAX_LEVELS
from service.errors import InvalidStudySpecError
from service.refusals import Fault

NUMBER = r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?"
RANGE = re.compile(rf"({NUMBER}):({NUMBER}):({NUMBER})")
FORMS = "a value, values `a,b,c`, or a range `low:high:step`"


def levels(flag: str, text: str) -> Any:
    """The range that a flag asks for, as a study writes it.

    Raises:
        InvalidStudySpecError: The text is none of the three forms.
    """
    match = RANGE.fullmatch(text.strip())
    if match is not None:
        return {"grid": _steps(flag, text, *map(Decimal, match.groups()))}
    if ":" in text or not text.strip():
        raise _refused(flag, FORMS, text)
    values = [scalar(part.strip()) for part in text.split(",")]
    return values[0] if len(values) == 1 else {"grid": values}


def integers(flag: str, text: str) -> list[int]:
    """A list of integers such as `128,128`.

    Raises:
        InvalidStudySpecError: Some part is no integer.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise _refused(flag, "integers `a,b,c`", text)
    return [int(part) for part in parts]


def scalar(text: str) -> int | float | str:
    """A number if the text is one, else the word itself."""
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    return float(text) if re.fullmatch(NUMBER, text) else text


def _steps(flag: str, text: str, low: Decimal, high: Decimal, step: Decimal) -> list[int | float | str]:
    if step <= 0 or high < low:
        raise _refused(flag, "low at most high, and a step above 0", text)
    n_levels = int((high - low) / step) + 1
    if n_levels > MAX_LEVELS:
        raise _refused(flag, f"at most {MAX_LEVELS} levels", f"{text}, which are {n_levels}")
    return [scalar(str(low + i * step)) for i in range(n_levels)]


def _refused(flag: str, expected: str, received: str) -> InvalidStudySpecError:
    fault: Fault = {"field": flag, "expected": expected, "received": received}
    return InvalidStudySpecError([fault])
