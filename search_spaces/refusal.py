"""How a value that cannot be had is refused: field, what was expected, what was received."""

from pydantic_core import PydanticCustomError


def refusal(field: str, expected: str, received: str) -> PydanticCustomError:
    """The error to raise, in a validator or outside; its context holds the three words."""
    context = {"field": field, "expected": expected, "received": received}
    return PydanticCustomError("study_spec", "{field}: expected {expected}; received {received}", context)
