"""The base of every value a user can send: frozen, closed, finite."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints

NAME_PATTERN = r"^[A-Za-z0-9 ._-]{1,100}$"

Scalar: TypeAlias = bool | int | float | str
"""One value of one knob."""

Point: TypeAlias = dict[str, Scalar]
"""A configuration: `<regularizer>.<knob>` to its value. An optional regularizer adds `<regularizer>.enabled`;
where that is False none of its other knobs appear."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class Value(BaseModel):
    """A frozen value that refuses unknown keys, NaN and infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=1000, serialize_by_alias=True
    )
