"""The forest plot: one interval for each level's difference from off, all regularizers of the study together."""

from collections.abc import Iterator
from dataclasses import dataclass

from service.effects.layout import Figure, as_percent, figure
from service.effects.palette import SIGNS
from service.effects.verdicts import significance
from service.effects.view import Difference, Effects
from service.effects.wording import counted, p_value, references, signed_points, title

ROW_PIXELS = 26
MAX_PIXELS = 2000


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """A line of the plot: a regularizer's heading (no difference), or one of its levels."""

    text: str
    difference: Difference | None = None


def forest_rows(effects: Effects) -> Iterator[ForestRow]:
    """The lines from top to bottom; regularizers without any difference are left out."""
    for effect in effects.regularizers:
        levels = [level for level in effect.levels if level.difference_from_off is not None]
        if not levels:
            continue
        yield ForestRow(text=f"{title(effect.name)}: {effect.verdict}")
        reference = next((level.label for level in effect.levels if level.is_reference and not level.is_off), None)
        against = "" if reference is None else f" against {reference}"
        for level in levels:
            yield ForestRow(text=f"{effect.knob} {level.label}{against}", difference=level.difference_from_off)


def forest_figure(effects: Effects) -> Figure | None:
    """Differences of test accuracy (or what the study measures) in percentage points; None where there are none."""
    measure = effects.study.measure
    rows = list(forest_rows(effects))
    if not rows:
        return None
    traces = [_trace(sign, rows) for sign in SIGNS]
    return figure(
        [trace for trace in traces if trace["x"]],
        title=f"How much each level changes test {measure}",
        x={
            "title": {
                "text": f"difference from {references(effects)} in test {measure} (percentage points, 95 % interval)"
            }
        },
        y={
            "tickvals": list(range(len(rows))),
            "ticktext": [row.text if row.difference else f"<b>{row.text}</b>" for row in rows],
            "range": [len(rows) - 0.4, -0.6],
            "showgrid": False,
        },
        shapes=[{"type": "line", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "line": {"color": "#7F7F7F"}}],
        height=min(150 + ROW_PIXELS * len(rows), MAX_PIXELS),
    )


def _trace(sign: int, rows: list[ForestRow]) -> Figure:
    name, colour = SIGNS[sign]
    compared = [(y, row.difference) for y, row in enumerate(rows) if row.difference]
    mine = [(y, difference) for y, difference in compared if significance(difference) == sign]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [as_percent(difference.mean) for _, difference in mine],
        "y": [y for y, _ in mine],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [_beyond(difference.high, difference.mean) for _, difference in mine],
            "arrayminus": [_beyond(difference.mean, difference.low) for _, difference in mine],
            "color": colour,
            "thickness": 2,
            "width": 5,
        },
        "marker": {
            "color": colour,
            "size": 9,
            "symbol": ["circle-open" if difference.low is None else "circle" for _, difference in mine],
        },
        "text": [_hover(difference) for _, difference in mine],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _beyond(high: float | None, low: float | None) -> float | None:
    return None if high is None or low is None else as_percent(high - low)


def _hover(difference: Difference) -> str:
    size = counted(difference.n_pairs, "pair" if difference.paired else "trial")
    return f"{signed_points(difference.mean)} points, p (Holm) {p_value(difference.p_value_holm)}, {size}"
