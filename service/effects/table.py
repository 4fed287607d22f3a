"""The effects as a table for the terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.effects.view import (
    Difference,
    Effects,
    LevelEffect,
    MeanInterval,
    Measure,
    Pick,
    RegularizerEffect,
    Verdict,
)
from service.effects.wording import (
    noise_floor_sentence,
    p_value,
    parameters_text,
    percent,
    points,
    signed_points,
)

STYLES: dict[Verdict, str] = {"helps": "bold green", "hurts": "bold red", "not separable": "bold"}

CAPTION = "{measure} in %, ± 95 % over seeds; differences in percentage points"


def effects_table(effects: Effects) -> RenderableType:
    """One table per regularizer with the verdict above it, then noise floor and picks."""
    parts: list[RenderableType] = []
    if effects.study.warning:
        parts.append(Text(effects.study.warning, style="bold yellow"))
    for effect in effects.regularizers:
        parts += [Text(effect.sentence, style=STYLES[effect.verdict]), _table(effect, effects.study.measure)]
    return Group(*parts, *_conclusions(effects))


def _table(effect: RegularizerEffect, measure: Measure) -> Table:
    table = Table(caption=CAPTION.format(measure=measure), caption_justify="left")
    table.add_column(effect.knob)
    for heading in ("n", "train", "validation", "test", "difference", "p (Holm)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for level in effect.levels:
        table.add_row(*_cells(level))
    return table


def _cells(level: LevelEffect) -> list[Text]:
    difference = level.difference_from_off
    told = "reference" if level.is_reference else _difference(difference)
    return [
        Text(cell)
        for cell in (
            level.label,
            f"{level.n:,}",
            _accuracy(level.train_accuracy),
            _accuracy(level.validation_accuracy),
            _accuracy(level.test_accuracy),
            told,
            p_value(difference.p_value_holm if difference else None),
        )
    ]


def _accuracy(estimate: MeanInterval) -> str:
    if estimate.high is None or estimate.mean is None:
        return percent(estimate.mean)
    return f"{percent(estimate.mean)} ±{points(estimate.high - estimate.mean)}"


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return "-"
    if difference.high is None:
        return signed_points(difference.mean)
    return f"{signed_points(difference.mean)} ±{points(difference.high - difference.mean)}"


def _conclusions(effects: Effects) -> list[Text]:
    lines = []
    if effects.noise_floor:
        lines.append(noise_floor_sentence(effects.noise_floor))
    if effects.best:
        optimism = effects.best.selection_optimism
        tail = "" if optimism is None else f"; selection optimism {signed_points(optimism)} points"
        lines.append(f"Best {_pick(effects.best)}{tail}.")
    if effects.one_standard_error_pick:
        lines.append(f"Most regularized within one standard error: {_pick(effects.one_standard_error_pick)}.")
    return [Text(line) for line in lines]


def _pick(pick: Pick) -> str:
    return (
        f"trial {pick.trial} ({parameters_text(pick.parameters)}): validation {_accuracy(pick.validation_accuracy)} %, "
        f"test {_accuracy(pick.test_accuracy)} %"
    )
