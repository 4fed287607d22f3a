"""How examples are prepared before training: a word, or `{name: zca, epsilon: 0.1}`."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_serializer

from search_spaces.values import Value

MIN_EPSILON = 1e-8
MAX_EPSILON = 10.0


class Plain(Value):
    """Preprocessing without options; written and stored as its word.

    `none`: as it is. `scale`: pixels to [0, 1]. `standardize`: each feature to mean 0 and standard deviation 1 over the
    training rows. `column_l2`: each pixel column (each row of features) divided by its L2 norm.
    """

    name: Literal["none", "scale", "standardize", "column_l2"]

    @model_serializer
    def _as_word(self) -> str:
        return self.name


class ZCA(Value):
    """Scaled, centred and decorrelated by W = U diag(1 / sqrt(s^2 / n + epsilon)) U^T of the training rows.

    Attributes:
        epsilon: Added to the variance of every principal direction, in squared units of examples in [0, 1]. Directions
            with much less variance than this stay small instead of being blown up; 0.01 to 0.1 suit images.
    """

    name: Literal["zca"] = "zca"
    epsilon: Annotated[float, Field(ge=MIN_EPSILON, le=MAX_EPSILON)] = 0.1


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Preprocessing: TypeAlias = Annotated[Plain | ZCA, Field(discriminator="name"), BeforeValidator(_named)]
