"""Case studies by name: one YAML file in this folder each, with its source and what was published."""

from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import Field

from search_spaces.spec import StudySpec
from search_spaces.values import Point, Value

__all__ = ["Figure", "Preset", "UnknownPresetError", "load_preset", "preset_names"]


class Figure(Value):
    """One figure that is known of a case study.

    Attributes:
        metric: `test_difference` is the difference of test accuracy from off, in fractions as the accuracies are.
        at: The knobs' values that it belongs to; empty for the study without regularizers.
        published: What the source says, of one training.
        reference: The mean of many trainings that were made before, with the same settings; None where there are none.
        within: Half of the 95 % interval of `reference`; on fresh points two test sets of 10,000 count in it.
    """

    metric: Literal["train_accuracy", "validation_accuracy", "test_accuracy", "test_difference"]
    at: Point = Field(default_factory=dict)
    published: float | None = None
    reference: float | None = None
    within: Annotated[float, Field(gt=0)] | None = None


class Preset(Value):
    """A study that is ready to run.

    Attributes:
        title: One line.
        question: What the study finds out, for people.
        source: Where the model, data and numbers come from.
        published: The figures of the source; empty where it has none.
        figures: The same in numbers, where they can be compared.
        remark: Where our figures differ from the source's and why, in a sentence.
        against: A preset of the same data and protocol with which this one as a whole is compared; empty for none.
        minutes: Rough duration on two CPU cores.
        study: The study itself.
    """

    name: str
    title: str
    question: str
    source: str
    published: str = ""
    figures: tuple[Figure, ...] = ()
    remark: str = ""
    against: str = ""
    minutes: Annotated[float, Field(gt=0)]
    study: StudySpec


class UnknownPresetError(LookupError):
    """No preset has this name."""


def preset_names() -> tuple[str, ...]:
    """The names of all presets, in alphabetical order."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


def load_preset(name: str) -> Preset:
    """Reads one preset.

    Raises:
        UnknownPresetError: There is none of this name; the text lists those that exist.
    """
    if name not in preset_names():
        msg = f"preset: expected one of {', '.join(preset_names())}; received {name!r}"
        raise UnknownPresetError(msg)
    text = resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return Preset.model_validate({"name": name, **yaml.safe_load(text)})
