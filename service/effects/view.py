"""The effects object of the public contract: what each regularizer did to accuracy, and whether that is real."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from search_spaces.values import Point, Scalar

Verdict = Literal["helps", "hurts", "not separable"]

Measure = Literal["accuracy", "balanced accuracy"]
"""What the fields `…_accuracy` hold: balanced accuracy (the mean of the classes' recalls) where it is the objective."""


class Part(BaseModel):
    """A frozen part of the effects object; NaN and infinity cannot enter it."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class MeanInterval(Part):
    """A mean over seeds with its 95 % t interval. No interval with one seed; all None where nothing was measured."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None


class Difference(Part):
    """Test accuracy at a level minus test accuracy at the reference (off), in fractions.

    Attributes:
        p_value: Two-sided; None where seeds (or trials) are too few to tell.
        p_value_holm: The same, adjusted over all regularizers and levels of the study (Holm).
        probability_better: Share of pairs in which the level is better; ties count half.
        paired: Whether equal seeds at otherwise equal points were compared; if not, Welch's test of trial means.
        n_pairs: Number of pairs (paired), or of trials at the level (unpaired).
        n_reference: Number of trials at the reference (unpaired only).
        validation_mean: The mean difference of validation accuracy, by which the best level is picked.
    """

    mean: float
    low: float | None
    high: float | None
    p_value: float | None
    p_value_holm: float | None = None
    probability_better: float
    paired: bool
    n_pairs: int
    n_seeds: int
    n_reference: int | None = None
    validation_mean: float | None


class LevelEffect(Part):
    """One level of a regularizer.

    Attributes:
        value: The value of the dose knob (of a bin: the mean of its trials); None where the regularizer is absent.
        bin_low: Smallest value in the bin, where a continuous range was binned.
        bin_high: Largest value in the bin.
        n: Number of replicates at the level.
        difference_from_off: None at the reference itself, and where there is nothing to compare with.
    """

    value: Scalar | None
    label: str
    is_off: bool
    is_reference: bool
    bin_low: float | None = None
    bin_high: float | None = None
    n: int
    n_seeds: int
    n_trials: int
    train_accuracy: MeanInterval
    validation_accuracy: MeanInterval
    test_accuracy: MeanInterval
    difference_from_off: Difference | None = None


class RegularizerEffect(Part):
    """One regularizer: its levels, and the verdict.

    Attributes:
        log_scale: Whether doses are to be drawn on a logarithmic axis.
        reference: Label of the level that differences are taken from; None if the study has none.
        picked: Label of the level with the best validation difference, whose test difference decides "helps".
    """

    name: str
    knob: str
    kind: Literal["float", "int", "category"]
    log_scale: bool
    reference: str | None
    picked: str | None
    levels: list[LevelEffect]
    verdict: Verdict
    sentence: str


class MeanDeviation(Part):
    """A mean with its standard deviation; None with fewer than two values."""

    mean: float
    sd: float | None


class NoiseFloor(Part):
    """How much test accuracy scatters between seeds alone, with every regularizer off."""

    n: int
    test_accuracy: MeanDeviation
    measure: Measure = "accuracy"


class InteractionCell(Part):
    """Test accuracy where one regularizer is at one level and another at another."""

    first: str
    second: str
    n: int
    n_seeds: int
    test_accuracy: MeanInterval


class Interaction(Part):
    """The measured cells of two regularizers' levels."""

    first: str
    first_levels: list[str]
    second: str
    second_levels: list[str]
    cells: list[InteractionCell]


class PatiencePoint(Part):
    """What a patience would have given, replayed over the logged curves.

    Attributes:
        asked: Whether the study asks about this patience itself.
        epochs: Mean number of epochs trained until the stop.
        n: Number of trainings replayed.
    """

    patience: int
    asked: bool
    n: int
    n_seeds: int
    epochs: float
    train_accuracy: MeanInterval
    validation_accuracy: MeanInterval
    test_accuracy: MeanInterval


class Importance(Part):
    """Share of the variation of the objective that one parameter explains."""

    parameter: str
    importance: float
    method: str


class Pick(Part):
    """A trial worth using.

    Attributes:
        regularization: Mean strength of the trial's regularizers, 0 (all off) to 1 (all at their strongest level).
    """

    trial: int
    parameters: Point
    n: int
    regularization: float
    validation_accuracy: MeanInterval
    test_accuracy: MeanInterval


class Best(Pick):
    """The trial with the best mean objective.

    Attributes:
        objective_standard_error: Of that mean over seeds; None with one seed.
        selection_optimism: Mean validation minus mean test accuracy: what selecting made look better than it is.
    """

    objective: str
    objective_mean: float
    objective_standard_error: float | None
    selection_optimism: float | None


class StudySummary(Part):
    """What the effects were estimated from.

    Attributes:
        measure: What all accuracies of the effects are.
        warning: What a reader must know first; set where test data selected.
    """

    id: str
    name: str
    protocol: Literal["held_out", "as_published"]
    replicates: int
    trials: int
    seeds: int
    measure: Measure = "accuracy"
    warning: str | None


class Effects(Part):
    """Everything a study says about its regularizers. Accuracies are fractions, intervals 95 %."""

    study: StudySummary
    noise_floor: NoiseFloor | None
    regularizers: list[RegularizerEffect]
    interactions: list[Interaction]
    patience: list[PatiencePoint]
    importance: list[Importance]
    best: Best | None
    one_standard_error_pick: Pick | None
