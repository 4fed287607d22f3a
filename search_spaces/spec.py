"""StudySpec: everything a study asks, as the user writes it and as it is stored."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StrictInt,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from search_spaces.datasets import DatasetRef, ImdbRef, shape_of
from search_spaces.models import MLP, ModelSpec, check_model
from search_spaces.optimizers import Optimizer
from search_spaces.preprocessing import Plain, Preprocessing
from search_spaces.pruners import PRUNERS
from search_spaces.ranges import Interval
from search_spaces.refusal import refusal
from search_spaces.regularizers import REGULARIZERS, EarlyStopping, RegularizerSpec
from search_spaces.samplers import SAMPLERS
from search_spaces.values import Name, Value

MAX_EPOCHS = 100_000
MAX_TRIALS = 10_000
MAX_REPLICATES_PER_STUDY = 100_000


def _one_of(table: dict[str, Any]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in table:
            context = {"expected": ", ".join(table), "received": value}
            raise PydanticCustomError("one_of", "expected one of {expected}, received '{received}'", context)
        return value

    return AfterValidator(check)


class _Regularizers(Value):
    def items(self) -> Iterator[tuple[str, RegularizerSpec]]:
        """The regularizers asked for, in the table's order."""
        for name in REGULARIZERS:
            asked = getattr(self, name)
            if asked is not None:
                yield name, asked


if TYPE_CHECKING:
    Regularizers = _Regularizers
else:
    Regularizers = create_model(
        "Regularizers", __base__=_Regularizers, **{name: (kind | None, None) for name, kind in REGULARIZERS.items()}
    )


class Training(Value):
    """How every replicate of the study is trained.

    Attributes:
        class_weights: `balanced` weighs each class' training loss by the inverse of its share of the training data.
    """

    epochs: Annotated[StrictInt, Field(ge=1, le=MAX_EPOCHS)] = 10
    batch_size: Annotated[StrictInt, Field(ge=1, le=65_536)] = 32
    optimizer: Optimizer = Optimizer()
    shuffle: bool = True
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    class_weights: Literal["none", "balanced"] = "none"


class Search(Value):
    """Who chooses the points, and who stops hopeless trials.

    Attributes:
        exclusive: Groups of optional regularizers of which a point has at most one on. Of a group, those that come
            first in the table of regularizers are drawn first; once one is on, the others are off.
    """

    sampler: Annotated[str, _one_of(SAMPLERS)] = "tpe"
    pruner: Annotated[str, _one_of(PRUNERS)] = "none"
    exclusive: Annotated[
        tuple[Annotated[tuple[str, ...], Field(min_length=2, max_length=20)], ...], Field(max_length=10)
    ] = ()


class Budget(Value):
    """How much may be spent. `trials` is not needed for a grid, and caps it where given."""

    trials: Annotated[StrictInt, Field(ge=1, le=MAX_TRIALS)] | None = None
    replicates: Annotated[StrictInt, Field(ge=1, le=1000)] = 1
    max_seconds: Annotated[float, Field(gt=0, le=30 * 86_400)] | None = None


class Objective(Value):
    """What the search improves. Test metrics cannot be named: they report, they never decide."""

    metric: Literal["validation_accuracy", "validation_balanced_accuracy", "validation_loss"] = "validation_accuracy"
    direction: Literal["maximize", "minimize"] = "maximize"

    @model_validator(mode="before")
    @classmethod
    def _default_direction(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("metric") == "validation_loss":
            return {"direction": "minimize", **value}
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        wanted = "minimize" if self.metric == "validation_loss" else "maximize"
        if self.direction != wanted:
            msg = f"direction of {self.metric} must be {wanted}, received {self.direction}"
            raise ValueError(msg)
        return self


class Evaluation(Value):
    """Which data decide and which report.

    `held_out`: a part of the training data (drawn once with the study's seed, or its last rows) is validation.
    `as_published`: the test set doubles as validation, as in the tutorials; results carry a badge.
    """

    protocol: Literal["held_out", "as_published"] = "held_out"
    validation_fraction: Annotated[float, Field(gt=0, lt=0.9)] = 0.2
    split: Literal["random", "last"] = "random"


class StudySpec(Value):
    """One study: a model, data, the regularizers to search, and how to search them."""

    name: Name
    tags: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    dataset: DatasetRef
    model: ModelSpec = MLP()
    preprocessing: Preprocessing = Plain(name="scale")
    regularizers: Regularizers = Regularizers()
    training: Training = Training()
    search: Search = Search()
    budget: Budget = Budget()
    objective: Objective = Objective()
    evaluation: Evaluation = Evaluation()
    seed: Annotated[StrictInt, Field(ge=0, lt=2**31)] = 0

    @property
    def patience(self) -> EarlyStopping | None:
        """The early-stopping rule asked for, if any."""
        asked = dict(self.regularizers.items()).get("early_stopping")
        return asked if isinstance(asked, EarlyStopping) else None

    @model_validator(mode="after")
    def _check_search(self) -> Self:
        if self.search.sampler != "grid":
            if self.budget.trials is None:
                raise refusal("budget.trials", f"how many, as sampler {self.search.sampler} needs to know", "nothing")
            return self
        for name, asked in self.regularizers.items():
            for knob, _, knob_range in asked.ranges():
                if isinstance(knob_range, Interval) and knob_range.step is None:
                    raise refusal(
                        f"regularizers.{name}.{knob}",
                        "a grid, choices or an interval with step, since the sampler is grid",
                        "a continuous interval",
                    )
        return self

    @model_validator(mode="after")
    def _check_exclusive(self) -> Self:
        optional = [name for name, asked in self.regularizers.items() if asked.optional]
        for number, name in ((i, name) for i, group in enumerate(self.search.exclusive) for name in group):
            if name not in optional:
                expected = f"regularizers of this study that are optional ({', '.join(optional) or 'there are none'})"
                raise refusal(f"search.exclusive.{number}", expected, name)
        if self.search.exclusive and self.search.sampler == "grid":
            raise refusal("search.exclusive", "nothing, since a grid visits every point", f"{self.search.exclusive}")
        return self

    @model_validator(mode="after")
    def _check_recurrent(self) -> Self:
        if "recurrent_dropout" in dict(self.regularizers.items()) and not self.model.has_recurrence:
            raise refusal("regularizers.recurrent_dropout", "a model with recurrent layers", self.model.family)
        if self.model.n_words is not None and self.preprocessing.name != "none":
            raise refusal("preprocessing", "none, since the model embeds whole numbers", self.preprocessing.name)
        return self

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        there = self.model.places
        for name, asked in self.regularizers.items():
            if asked.blends_examples and self.model.n_words is not None:
                raise refusal(
                    f"regularizers.{name}", "a model of examples that can be blended", "embedded whole numbers"
                )
            for field, wanted in asked.needed_places():
                if there is not None and wanted and name not in self.model.marked and not there.intersection(wanted):
                    raise refusal(f"regularizers.{field}", f"a model with {' or '.join(wanted)}", self.model.family)
        return self

    @model_validator(mode="after")
    def _check_data(self) -> Self:
        known = shape_of(self.dataset)
        if known is not None:
            check_fits(self, *known)
        n_words = self.model.n_words
        if isinstance(self.dataset, ImdbRef) and n_words is not None and n_words < self.dataset.vocabulary:
            raise refusal("model.vocabulary", f"at least the dataset's {self.dataset.vocabulary:,}", f"{n_words:,}")
        return self


def check_fits(spec: StudySpec, input_shape: tuple[int, ...], n_classes: int) -> None:
    """Refuses a spec whose model or regularizers do not suit examples of this shape.

    Raises:
        PydanticCustomError: The text names the field, what was expected and what came.
    """
    check_model(spec.model, input_shape, 1 if n_classes == 2 else n_classes)
    for name, asked in spec.regularizers.items():
        if asked.needs_images and len(input_shape) != 3:
            expected = f"nothing for examples of shape {input_shape}"
            raise refusal(f"regularizers.{name}", expected, "a regularizer of images")
