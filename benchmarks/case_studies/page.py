"""docs/case-studies.md from the exports: published figures beside ours."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.case_studies.comparison import gain
from benchmarks.case_studies.exports import FOLDER, Export, families, load
from search_spaces.presets import Figure, Preset
from search_spaces.values import Point
from service.effects.view import Difference, LevelEffect, MeanInterval, RegularizerEffect
from service.effects.wording import scalar

HEAD = """# The case studies: what the sources say, and what many seeds say

Written by `make case-studies ARGS=page` from the exports in [case-studies/](case-studies); `make case-studies` runs
what has no export yet (MNIST rows need `mnist.npz` in `REGTUNE_DATA_DIR/datasets`). Accuracies are in percent, with
95 % intervals over seeds; n counts replicates. Differences are in points, paired by seed where the study is a grid.
"As published" selects on the test data as the source does; the corrected twin selects on validation data and reports
on test data that nothing was selected on. "Earlier" are means of trainings made outside of regtune.
"""


def page(folder: Path = FOLDER) -> str:
    """The whole page."""
    found = [
        (preset, load(preset.name, folder), twin, None if twin is None else load(twin.name, folder))
        for preset, twin in families()
    ]
    parts = [HEAD, *_summary([(preset, export, corrected) for preset, export, _, corrected in found])]
    for preset, export, twin, corrected in found:
        parts += _section(preset, export, twin, corrected)
    return "\n".join(parts).rstrip() + "\n"


def _summary(rows: list[tuple[Preset, Export | None, Export | None]]) -> Iterator[str]:
    yield "| case study | published | verdict | corrected |"
    yield "|---|---|---|---|"
    for preset, export, corrected in rows:
        yield f"| [{preset.name}](#{preset.name}) | {preset.published} | {_verdicts(export)} | {_verdicts(corrected)} |"
    yield ""


def _verdicts(export: Export | None) -> str:
    if export is None:
        return "–"
    effects = export.effects.regularizers
    told = [f"{effect.name} {effect.verdict}" for effect in effects if len(effect.levels) > 1]
    if told:
        return ", ".join(told)
    best = export.effects.best
    return _interval(best.test_accuracy) + " % test" if best else "–"


def _section(preset: Preset, export: Export | None, twin: Preset | None, corrected: Export | None) -> Iterator[str]:
    yield f"## {preset.name}"
    yield ""
    question = preset.question.partition(" As published:")[0]
    yield f"**{preset.title}.** {question} *{preset.source}.* Published: {preset.published}."
    yield ""
    yield from _run(preset, export, "As published" if twin else "")
    if twin is not None:
        yield from _run(twin, corrected, "Corrected")
    if preset.remark:
        yield f"*{preset.remark}*"
        yield ""


def _run(preset: Preset, export: Export | None, heading: str) -> Iterator[str]:
    prefix = f"{heading}: " if heading else ""
    if export is None:
        yield f"{prefix}not run here (about {preset.minutes:g} minutes on two cores)."
        yield ""
        return
    effects = export.effects
    n = effects.study.trials
    counts = f"{effects.study.replicates} replicates of {n} configuration{'s' if n != 1 else ''}"
    yield f"{prefix}{counts}, {export.seconds:.0f} s."
    yield ""
    yield "| at | n | train | validation | test | difference | published | earlier |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from _rows(preset, export)
    yield ""
    for effect in effects.regularizers:
        if len(effect.levels) > 1:
            yield f"- **{effect.verdict}**: {effect.sentence}"
    yield from _against(preset, export)
    yield ""


def _against(preset: Preset, export: Export) -> Iterator[str]:
    """The comparison with another case study as a whole."""
    other = load(preset.against) if preset.against else None
    gained = gain(export, other) if other else None
    if gained is None or gained.low is None or gained.high is None:
        return
    verdict = "more than" if gained.low > 0 else "less than" if gained.high < 0 else "not separable from"
    yield f"- **{verdict} [{preset.against}](#{preset.against})**: test accuracy differs by {_signed(gained)} points."


def _rows(preset: Preset, export: Export) -> Iterator[str]:
    effects = export.effects
    shown = [effect for effect in effects.regularizers if len(effect.levels) > 1]
    for effect in shown:
        for level in effect.levels:
            yield _row(f"{effect.name} {effect.knob} {level.label}", level, _figures(preset, _key(effect), level))
    if not shown and effects.best is not None:
        only = next((effect.levels[0] for effect in effects.regularizers), None)
        n, train = (only.n, only.train_accuracy) if only else (effects.best.n, MeanInterval())
        cells = [_interval(train), _interval(effects.best.validation_accuracy), _interval(effects.best.test_accuracy)]
        figures = [figure for figure in preset.figures if not figure.at]
        yield f"| all | {n} | {' | '.join(cells)} | | {_published(figures)} | {_earlier(figures)} |"
    if len(shown) == 2:
        yield from _cells(preset, export)


def _cells(preset: Preset, export: Export) -> Iterator[str]:
    """Where two regularizers meet, with the figures that are known of both."""
    for table in export.effects.interactions:
        for cell in table.cells:
            words = {table.first: cell.first, table.second: cell.second}
            figures = [figure for figure in preset.figures if _is_at(figure, words)]
            at = " and ".join(f"{name} {level}" for name, level in words.items())
            told = f"{_published(figures)} | {_earlier(figures)}"
            yield f"| {at} | {cell.n} | | | {_interval(cell.test_accuracy)} | | {told} |"


def _is_at(figure: Figure, words: dict[str, str]) -> bool:
    """Whether a figure belongs to these levels, given as labels."""
    at = {key.partition(".")[0]: "off" if value == 0 else scalar(value) for key, value in figure.at.items()}
    return at == words


def _row(name: str, level: LevelEffect, figures: list[Figure]) -> str:
    cells = (level.train_accuracy, level.validation_accuracy, level.test_accuracy)
    accuracies = " | ".join(_interval(cell) for cell in cells)
    difference = _signed(level.difference_from_off)
    return f"| {name} | {level.n} | {accuracies} | {difference} | {_published(figures)} | {_earlier(figures)} |"


def _key(effect: RegularizerEffect) -> str:
    return f"{effect.name}.{effect.knob}"


def _figures(preset: Preset, key: str, level: LevelEffect) -> list[Figure]:
    value = level.value if level.value is not None else 0.0
    at: Point = {key: value}
    return [figure for figure in preset.figures if figure.at == at]


def _published(figures: list[Figure]) -> str:
    return ", ".join(f"{_word(f)} {_number(f, f.published)}" for f in figures if f.published is not None)


def _earlier(figures: list[Figure]) -> str:
    told = [f for f in figures if f.reference is not None]
    return ", ".join(
        f"{_word(f)} {_number(f, f.reference)}" + (f" ± {100 * f.within:.1f}" if f.within else "") for f in told
    )


def _word(figure: Figure) -> str:
    return figure.metric.removesuffix("_accuracy").replace("test_difference", "difference")


def _number(figure: Figure, value: float | None) -> str:
    if value is None:
        return ""
    return f"{100 * value:+.1f}" if figure.metric == "test_difference" else f"{100 * value:.1f}"


def _interval(estimate: MeanInterval) -> str:
    if estimate.mean is None:
        return ""
    mean = f"{100 * estimate.mean:.2f}"
    if estimate.low is None or estimate.high is None:
        return mean
    return f"{mean} [{100 * estimate.low:.2f}, {100 * estimate.high:.2f}]"


def _signed(difference: Difference | MeanInterval | None) -> str:
    if difference is None or difference.mean is None:
        return ""
    mean = f"{100 * difference.mean:+.2f}"
    if difference.low is None or difference.high is None:
        return mean
    return f"{mean} [{100 * difference.low:+.2f}, {100 * difference.high:+.2f}]"
