"""Accuracy over epochs for one trial, and over patience for the study."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from service.effects.dose_figure import DODGE
from service.effects.frame import measure_of, metric_of
from service.effects.intervals import CONFIDENCE
from service.effects.layout import Figure, as_percent, figure
from service.effects.palette import SERIES, translucent
from service.effects.records import StudyRecord
from service.effects.view import MeanInterval, Measure, PatiencePoint
from service.effects.wording import counted, parameters_text
from trials.curves import row

MAX_EPOCHS_SHOWN = 80


@dataclass(frozen=True)
class Band:
    """A mean over seeds with its 95 % interval, by epoch (from 1); the bounds are NaN with one seed."""

    epochs: list[int]
    mean: list[float]
    low: list[float]
    high: list[float]


def bands(record: StudyRecord, trial: int) -> dict[str, Band]:
    """The learning curves of a trial, averaged over seeds.

    An epoch is shown where at least half of the seeds were still training and were read.
    """
    curves = [
        record.curves[r.replicate_id]
        for r in record.replicates
        if r.trial_number == trial and r.replicate_id in record.curves
    ]
    found = {}
    for measure in SERIES:
        table = pd.DataFrame([pd.Series(row(curve, metric_of(record.spec, measure)), dtype=float) for curve in curves])
        count = table.count()
        epochs = np.flatnonzero(count.to_numpy() >= max(1, len(curves) / 2)) if curves else np.array([], dtype=int)
        if not epochs.size:
            continue
        epochs = epochs[np.unique(np.linspace(0, epochs.size - 1, min(epochs.size, MAX_EPOCHS_SHOWN)).astype(int))]
        shown = table.iloc[:, epochs]
        mean, error = shown.mean().to_numpy(dtype=float), shown.sem().to_numpy(dtype=float)
        half = stats.t.ppf((1 + CONFIDENCE) / 2, shown.count().to_numpy(dtype=float) - 1) * error
        found[measure] = Band((epochs + 1).tolist(), mean.tolist(), (mean - half).tolist(), (mean + half).tolist())
    return found


def learning_figure(record: StudyRecord, trial: int, role: str) -> Figure | None:
    """The learning curves of one trial; None where none is stored. `role` says why this trial is shown."""
    found = bands(record, trial)
    if not found:
        return None
    mine = [r for r in record.replicates if r.trial_number == trial]
    traces = [trace for measure, band in found.items() for trace in _band_traces(measure, band)]
    return figure(
        traces,
        title=f"Learning curves of {role}: {parameters_text(mine[0].point)}",
        x={"title": {"text": f"epoch (mean over {counted(len(mine), 'seed')}, band 95 %)"}},
        y={"title": {"text": f"{measure_of(record.spec)} (%)"}},
    )


def _band_traces(measure: str, band: Band) -> list[Figure]:
    name, colour, symbol = SERIES[measure]
    mean = {
        "type": "scatter",
        "mode": "lines" if len(band.epochs) > MAX_EPOCHS_SHOWN / 2 else "lines+markers",
        "name": name,
        "legendgroup": name,
        "x": band.epochs,
        "y": [as_percent(value) for value in band.mean],
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "symbol": symbol, "size": 6},
        "hovertemplate": "epoch %{x}: %{y:.1f} %<extra>" + name + "</extra>",
    }
    certain = [i for i, low in enumerate(band.low) if np.isfinite(low)]
    if not certain:
        return [mean]
    around = [*certain, *reversed(certain)]
    edge = [band.high[i] for i in certain] + [band.low[i] for i in reversed(certain)]
    area = {
        "type": "scatter",
        "mode": "lines",
        "fill": "toself",
        "fillcolor": translucent(colour, 0.18),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": name,
        "x": [band.epochs[i] for i in around],
        "y": [as_percent(value) for value in edge],
    }
    return [area, mean]


def patience_figure(curve: list[PatiencePoint], accuracy: Measure = "accuracy") -> Figure | None:
    """Accuracy, or what else the study measures, by patience, evenly spaced; None without a curve."""
    if not curve:
        return None
    positions = list(range(len(curve)))
    return figure(
        [_patience_trace(measure, order, curve) for order, measure in enumerate(SERIES)],
        title=f"What each patience would have given (replayed from {counted(curve[0].n, 'training')})",
        x={
            "title": {"text": "patience (epochs); in bold what the study asks about"},
            "tickvals": positions,
            "ticktext": [f"<b>{point.patience}</b>" if point.asked else str(point.patience) for point in curve],
        },
        y={"title": {"text": f"{accuracy} at the selected epoch (%)"}},
    )


def _patience_trace(measure: str, order: int, curve: list[PatiencePoint]) -> Figure:
    name, colour, symbol = SERIES[measure]
    means: list[MeanInterval] = [getattr(point, measure) for point in curve]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [round(i + (order - 1) * DODGE, 3) for i in range(len(curve))],
        "y": [as_percent(estimate.mean) for estimate in means],
        "error_y": {
            "type": "data",
            "array": [None if m.high is None or m.mean is None else as_percent(m.high - m.mean) for m in means],
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "symbol": symbol, "size": 7},
        "text": [f"patience {point.patience}: stops after {point.epochs:.1f} epochs on average" for point in curve],
        "hovertemplate": "%{text}<br>%{y:.1f} %<extra>" + name + "</extra>",
    }
