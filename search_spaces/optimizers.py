"""Optimizers and learning-rate schedules: closed, bounded descriptions."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, StrictInt, model_validator

from search_spaces.values import Value

MAX_SCHEDULE_EPOCHS = 100_000

Epochs: TypeAlias = Annotated[StrictInt, Field(ge=1, le=MAX_SCHEDULE_EPOCHS)]
Fraction: TypeAlias = Annotated[float, Field(gt=0, le=1)]


class Constant(Value):
    """The learning rate stays as it is."""

    name: Literal["constant"] = "constant"


class Cosine(Value):
    """Falls along half a cosine from the learning rate to `final_fraction` of it, then stays there.

    Attributes:
        epochs: How long it falls; None for the whole training.

    References:
        Loshchilov and Hutter, 2017, SGDR: stochastic gradient descent with warm restarts, arXiv:1608.03983.
    """

    name: Literal["cosine"]
    final_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    epochs: Epochs | None = None


class Exponential(Value):
    """Multiplied by `rate` every so many epochs: smoothly, or at once at their end (`staircase`)."""

    name: Literal["exponential"]
    rate: Fraction
    every_epochs: Epochs = 1
    staircase: bool = False


class Piecewise(Value):
    """After so many epochs the learning rate is its first value times the factor of the same place."""

    name: Literal["piecewise"]
    epochs: Annotated[tuple[Epochs, ...], Field(min_length=1, max_length=20)]
    factors: Annotated[tuple[Annotated[float, Field(gt=0, le=1000)], ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.factors) != len(self.epochs):
            msg = f"factors: expected as many as epochs, {len(self.epochs)}; received {len(self.factors)}"
            raise ValueError(msg)
        if list(self.epochs) != sorted(set(self.epochs)):
            msg = f"epochs: expected increasing numbers; received {list(self.epochs)}"
            raise ValueError(msg)
        return self


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Schedule: TypeAlias = Annotated[
    Constant | Cosine | Exponential | Piecewise, Field(discriminator="name"), BeforeValidator(_named)
]


class Optimizer(Value):
    """The optimizer, by its Keras name in lower case; what is not given is Keras' default.

    Attributes:
        learning_rate: The first learning rate, where a schedule changes it.
        weight_decay: Decoupled weight decay, per step times the learning rate; None for Keras' default of the
            optimizer, which is 0.004 for adamw and none for all others.
    """

    name: Literal["adam", "adamw", "sgd", "rmsprop", "lion"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.001
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    nesterov: bool = False
    weight_decay: Annotated[float, Field(ge=0, le=1)] | None = None
    schedule: Schedule = Constant()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.momentum and self.name not in ("sgd", "rmsprop"):
            msg = f"momentum belongs to sgd and rmsprop, received {self.momentum} for {self.name}"
            raise ValueError(msg)
        if self.nesterov and (self.name != "sgd" or not self.momentum):
            msg = f"nesterov belongs to sgd with momentum, received {self.name} with momentum {self.momentum}"
            raise ValueError(msg)
        return self
