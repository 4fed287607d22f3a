"""Dose and response: accuracy at each level of one regularizer, with every replicate."""

from service.effects.axes import DoseAxis, Shown, dose_axis, jitter, replicates_shown
from service.effects.frame import measure_of
from service.effects.layout import Figure, as_percent, figure
from service.effects.palette import GRID, SERIES, translucent
from service.effects.records import StudyRecord
from service.effects.view import MeanInterval, RegularizerEffect
from service.effects.wording import counted, title

DODGE = 0.16
"""Distance of neighbouring series at one level, as a share of the levels' spacing."""


def dose_figure(effect: RegularizerEffect, record: StudyRecord) -> Figure:
    """Replicates as light points; means with 95 % intervals over seeds; off at the left."""
    axis = dose_axis(effect)
    shown = replicates_shown(record, effect.name)
    accuracy = measure_of(record.spec)
    traces = []
    for order, measure in enumerate(SERIES):
        offset = (order - 1) * DODGE * axis.spacing
        traces += [_points(measure, axis, shown, offset), _means(measure, effect, axis, offset)]
    return figure(
        traces,
        title=f"What {title(effect.name)} does to {accuracy} (means with 95 % intervals; {shown.note})",
        x={
            "title": {"text": axis.title},
            "tickvals": [position for position, _ in axis.ticks],
            "ticktext": [text for _, text in axis.ticks],
            "range": dose_range(axis),
        },
        y={"title": {"text": f"{accuracy} (%)"}},
        shapes=[] if axis.separator is None else [_separator(axis.separator)],
    )


def dose_range(axis: DoseAxis) -> list[float]:
    """The ends of the axis: half a level's spacing beyond the outermost levels."""
    low, high = min(axis.positions, default=0.0), max(axis.positions, default=0.0)
    margin = max(0.6 * axis.spacing, 0.04 * (high - low))
    return [low - margin, high + margin]


def _points(measure: str, axis: DoseAxis, shown: Shown, offset: float) -> Figure:
    name, colour, _ = SERIES[measure]
    rows = shown.rows.dropna(subset=[measure])
    jitters = jitter(len(rows), DODGE * axis.spacing)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{name}, replicates",
        "legendgroup": name,
        "showlegend": False,
        "hoverinfo": "skip",
        "x": [round(axis.positions[i] + offset + j, 5) for i, j in zip(rows["level"].tolist(), jitters, strict=True)],
        "y": [as_percent(value) for value in rows[measure].tolist()],
        "marker": {"color": translucent(colour, 0.28), "size": 5},
    }


def _means(measure: str, effect: RegularizerEffect, axis: DoseAxis, offset: float) -> Figure:
    name, colour, symbol = SERIES[measure]
    means: list[MeanInterval] = [getattr(level, measure) for level in effect.levels]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "legendgroup": name,
        "x": [round(position + offset, 5) for position in axis.positions],
        "y": [as_percent(estimate.mean) for estimate in means],
        "error_y": {
            "type": "data",
            "array": [_half(estimate) for estimate in means],
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        "line": {"color": colour, "width": 2, "dash": "dot" if effect.kind == "category" else "solid"},
        "marker": {"color": colour, "symbol": symbol, "size": 8},
        "text": [f"{level.label}, {counted(level.n, 'replicate')}" for level in effect.levels],
        "hovertemplate": "%{text}<br>%{y:.1f} %<extra>" + name + "</extra>",
    }


def _half(estimate: MeanInterval) -> float | None:
    if estimate.mean is None or estimate.high is None:
        return None
    return as_percent(estimate.high - estimate.mean)


def _separator(x: float) -> Figure:
    line = {"color": GRID, "width": 1, "dash": "dash"}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line}
