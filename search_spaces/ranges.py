"""The range grammar: what a knob may be asked to take.

A number or word (fixed), `{grid: [...]}`, `{low, high, log?, step?}` or `{choices: [...]}`. A `Knob` bounds the
range that it annotates and says what the knob means to training.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypeAlias

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import (
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from search_spaces.values import Scalar, Value

MAX_LEVELS = 1000

Entry = StrictBool | StrictInt | StrictFloat | StrictStr


class Fixed(Value):
    """A knob that is not searched."""

    value: Entry

    @model_validator(mode="before")
    @classmethod
    def _from_scalar(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"value": value}

    @model_serializer
    def _to_scalar(self) -> Scalar:
        return self.value

    def levels(self) -> tuple[Scalar, ...]:
        """Every value the range names, in the order written."""
        return (self.value,)


class _Listed(Value):
    @staticmethod
    def _distinct(values: tuple[Entry, ...]) -> tuple[Entry, ...]:
        if len(set(values)) != len(values):
            msg = f"values must differ from each other, received {list(values)}"
            raise PydanticCustomError("repeated_level", "{message}", {"message": msg})
        return values


class Grid(_Listed):
    """Levels to be visited each exactly once by the grid sampler, or drawn from by any other."""

    grid: Annotated[tuple[Entry, ...], Field(min_length=1, max_length=MAX_LEVELS)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._distinct(self.grid)
        return self

    def levels(self) -> tuple[Scalar, ...]:
        """Every value the range names, in the order written."""
        return self.grid


class Choices(_Listed):
    """Unordered levels."""

    choices: Annotated[tuple[Entry, ...], Field(min_length=1, max_length=MAX_LEVELS)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._distinct(self.choices)
        return self

    def levels(self) -> tuple[Scalar, ...]:
        """Every value the range names, in the order written."""
        return self.choices


class Interval(Value):
    """Numbers between `low` and `high`, both included; on a log scale, or in steps, if asked."""

    low: StrictInt | StrictFloat
    high: StrictInt | StrictFloat
    log: StrictBool = False
    step: StrictInt | StrictFloat | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low >= self.high:
            msg = f"low must be below high, received low {self.low} and high {self.high}"
        elif self.log and self.low <= 0:
            msg = f"a log range needs low above 0, received {self.low}; for a real 0 use `optional: true`"
        elif self.log and self.step is not None:
            msg = f"step cannot be combined with log, received step {self.step}"
        elif self.step is not None and not 0 < self.step <= self.high - self.low:
            msg = f"step must lie above 0 and at most at high - low, received {self.step}"
        else:
            return self
        raise PydanticCustomError("interval", "{message}", {"message": msg})

    def levels(self) -> tuple[Scalar, ...] | None:
        """The values of a stepped interval; None where the interval is continuous."""
        if self.step is None:
            return None
        count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
        return tuple(_tidy(self.low + i * self.step) for i in range(min(count, MAX_LEVELS + 1)))


def _tidy(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.12g}")


def _form(value: Any) -> str | None:
    if isinstance(value, (Fixed, Grid, Choices, Interval)):
        return type(value).__name__.lower()
    if not isinstance(value, dict):
        return "fixed" if isinstance(value, (bool, int, float, str)) else None
    for key, form in (("grid", "grid"), ("choices", "choices"), ("low", "interval"), ("high", "interval")):
        if key in value:
            return form
    return None


Range: TypeAlias = Annotated[
    Annotated[Fixed, Tag("fixed")]
    | Annotated[Grid, Tag("grid")]
    | Annotated[Choices, Tag("choices")]
    | Annotated[Interval, Tag("interval")],
    Discriminator(
        _form,
        custom_error_type="range_form",
        custom_error_message="expected a number, a word, {grid: [...]}, {low, high, log?, step?} or {choices: [...]}",
    ),
]

Role = Literal["runtime", "structural", "replayed"]
"""How a knob reaches training: as one entry per lane of a tensor, as a part of the model (lanes that differ in it
cannot share a program), or by reading the logged curve afterwards."""


@dataclass(frozen=True, kw_only=True)
class Knob:
    """What one knob of a regularizer accepts, and what it means.

    Attributes:
        kind: `float`, `int` or `category`.
        minimum: Smallest number accepted (numbers only).
        maximum: Largest number accepted (numbers only).
        words: Accepted words (categories only).
        off: The value at which the regularizer does nothing; None if no value of this knob does that.
        role: How the knob reaches training.
        strength: Whether the knob's size is the regularizer's dose, which effects are drawn over.
    """

    kind: Literal["float", "int", "category"]
    minimum: float = 0
    maximum: float = 0
    words: tuple[str, ...] = ()
    off: Scalar | None = None
    role: Role = "runtime"
    strength: bool = True

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def expected(self) -> str:
        """The accepted values, in words."""
        if self.kind == "category":
            return "one of " + ", ".join(self.words)
        return f"{'an integer' if self.kind == 'int' else 'a number'} from {self.minimum:g} to {self.maximum:g}"

    def accepts(self, value: Scalar) -> bool:
        """Whether the knob may take this value."""
        if self.kind == "category":
            return value in self.words
        if isinstance(value, (bool, str)) or (self.kind == "int" and not isinstance(value, int)):
            return False
        return self.minimum <= value <= self.maximum

    def check(self, asked: "Fixed | Grid | Choices | Interval") -> "Fixed | Grid | Choices | Interval":
        """Returns the range if every value it can produce is accepted.

        Raises:
            PydanticCustomError: Some value is not; the text has what was expected and what came.
        """
        named: Sequence[Scalar] = (asked.low, asked.high) if isinstance(asked, Interval) else asked.levels()
        wrong = [value for value in named if not self.accepts(value)]
        if self.kind == "int" and isinstance(asked, Interval) and isinstance(asked.step, float):
            wrong.append(asked.step)
        if wrong:
            context = {"expected": self.expected(), "received": ", ".join(map(repr, wrong))}
            raise PydanticCustomError("knob_range", "expected {expected}, received {received}", context)
        return asked


def distribution(asked: "Fixed | Grid | Choices | Interval", knob: Knob) -> BaseDistribution:
    """The Optuna distribution that draws from a range."""
    if not isinstance(asked, Interval):
        return CategoricalDistribution(asked.levels())
    if knob.kind == "int":
        step = 1 if asked.step is None else int(asked.step)
        return IntDistribution(int(asked.low), int(asked.high), log=asked.log, step=step)
    return FloatDistribution(asked.low, asked.high, log=asked.log, step=asked.step)
