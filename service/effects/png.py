"""The effects as one picture: the forest plot, and dose and response of every regularizer."""

import math
from pathlib import Path
from typing import BinaryIO

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from service.effects.axes import dose_axis, jitter, replicates_shown
from service.effects.dose_figure import DODGE, dose_range
from service.effects.forest_figure import ForestRow, forest_rows
from service.effects.palette import SERIES, SIGNS, UNCLEAR, VERDICT_COLOURS
from service.effects.records import StudyRecord
from service.effects.verdicts import significance
from service.effects.view import Effects, LevelEffect, MeanInterval, RegularizerEffect
from service.effects.wording import counted, references, title

DOTS_PER_INCH = 130
PANEL_INCHES = (5.6, 4.0)
HEADER_INCHES = 0.9
ROW_INCHES = 0.3
MAX_FOREST_INCHES = 20.0
MARKERS = {"circle": "o", "square": "s", "diamond": "D"}


def effects_png(effects: Effects, record: StudyRecord, target: Path | str | BinaryIO) -> None:
    """Draws the forest plot at the left and one panel per regularizer beside it.

    Args:
        effects: The estimates.
        record: The replicates they were made from; drawn as points.
        target: A path, or a binary buffer to write to.
    """
    shown = [effect for effect in effects.regularizers if effect.levels]
    forest = list(forest_rows(effects))
    n_columns = 1 if len(shown) <= 1 else 2
    n_rows = max(1, math.ceil(len(shown) / n_columns))
    height = max(n_rows * PANEL_INCHES[1], min(ROW_INCHES * len(forest) + 1.2, MAX_FOREST_INCHES)) + HEADER_INCHES
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12)
    drawing = Figure(figsize=(PANEL_INCHES[0] * (n_columns + 1), height), layout=layout)
    FigureCanvasAgg(drawing)
    grid = GridSpec(n_rows, n_columns + 1, figure=drawing)
    _draw_forest(drawing.add_subplot(grid[:, 0]), forest, effects)
    note = ""
    for i, effect in enumerate(shown):
        replicates = replicates_shown(record, effect.name)
        note = f"points: {replicates.note}"
        _draw_dose(drawing.add_subplot(grid[i // n_columns, 1 + i % n_columns]), effect, replicates.rows)
        drawing.axes[-1].set_ylabel(f"{effects.study.measure} (%)")
    _head(drawing, effects)
    _foot(drawing, effects, note)
    drawing.savefig(target, format="png", dpi=DOTS_PER_INCH)


def _head(drawing: Figure, effects: Effects) -> None:
    study = effects.study
    size = f"{counted(study.trials, 'trial')}, {counted(study.seeds, 'seed')}, {counted(study.replicates, 'replicate')}"
    badge = "   AS PUBLISHED: test data selected" if study.warning else ""
    drawing.suptitle(f"{_plain(study.name)}   ({size}){badge}", x=0.01, ha="left", fontsize=14, fontweight="bold")


def _foot(drawing: Figure, effects: Effects, replicates: str) -> None:
    """The only legend: the colours of the forest plot, then those of dose and response."""
    differences = [d for effect in effects.regularizers for d in (level.difference_from_off for level in effect.levels)]
    signs = sorted({significance(difference) for difference in differences if difference}, reverse=True)
    handles = [Line2D([], [], color=SIGNS[sign][1], marker="o", linewidth=2.2, label=SIGNS[sign][0]) for sign in signs]
    if replicates:
        handles += [
            Line2D([], [], color=colour, marker=MARKERS[symbol], label=f"{name}, mean and 95 %")
            for name, colour, symbol in SERIES.values()
        ]
        handles.append(Line2D([], [], color=UNCLEAR, marker=".", linestyle="", alpha=0.6, label=replicates))
    columns = 3 if len(handles) > 4 else 2
    if handles:
        drawing.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=10)


def _plain(text: str) -> str:
    """Text without mathematics: a name may hold dollar signs."""
    return text.replace("$", r"\$")


def _draw_forest(axes: Axes, rows: list[ForestRow], effects: Effects) -> None:
    axes.set_title(f"How much each level changes test {effects.study.measure}", loc="left", fontsize=11)
    axes.set_xlabel(f"difference from {references(effects)} (percentage points, 95 %)")
    axes.spines[["top", "right", "left"]].set_visible(False)
    if not rows:
        axes.set_yticks([])
        axes.text(0.5, 0.5, 'nothing to compare:\nno level beside "off"', ha="center", transform=axes.transAxes)
        return
    axes.axvline(0, color=UNCLEAR, linewidth=1)
    for y, row in enumerate(rows):
        if row.difference is None:
            continue
        colour = SIGNS[significance(row.difference)][1]
        mean, low, high = row.difference.mean, row.difference.low, row.difference.high
        if low is not None and high is not None:
            axes.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot(
            [100 * mean], [y], "o", color=colour, markersize=6, markerfacecolor="white" if low is None else colour
        )
    axes.set_ylim(len(rows) - 0.3, -0.7)
    axes.set_yticks(range(len(rows)), [row.text for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("normal" if row.difference else "bold")


def _draw_dose(axes: Axes, effect: RegularizerEffect, replicates: pd.DataFrame) -> None:
    axis = dose_axis(effect)
    for order, (measure, (_, colour, _)) in enumerate(SERIES.items()):
        offset = (order - 1) * DODGE * axis.spacing
        rows = replicates.dropna(subset=[measure])
        jittered = zip(rows["level"].tolist(), jitter(len(rows), DODGE * axis.spacing), strict=True)
        x = [axis.positions[level] + offset + j for level, j in jittered]
        axes.plot(x, (100 * rows[measure]).tolist(), ".", color=colour, alpha=0.25, markersize=4.5, zorder=1)
        _draw_means(axes, [position + offset for position in axis.positions], effect.levels, measure)
    if axis.separator is not None:
        axes.axvline(axis.separator, color="#BBBBBB", linestyle="--", linewidth=1)
    axes.set_xticks([x for x, _ in axis.ticks], [text for _, text in axis.ticks])
    axes.set_xlim(*dose_range(axis))
    axes.set_xlabel(axis.title)
    axes.set_title(f"{title(effect.name)}: {effect.verdict}", loc="left", color=VERDICT_COLOURS[effect.verdict])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)


def _draw_means(axes: Axes, positions: list[float], levels: list[LevelEffect], measure: str) -> None:
    _, colour, symbol = SERIES[measure]
    found: list[tuple[float, MeanInterval]] = [
        (x, getattr(level, measure)) for x, level in zip(positions, levels, strict=True)
    ]
    known = [(x, 100 * m.mean, m) for x, m in found if m.mean is not None]
    axes.plot([x for x, _, _ in known], [y for _, y, _ in known], color=colour, marker=MARKERS[symbol], markersize=5.5)
    for x, _, estimate in known:
        if estimate.low is not None and estimate.high is not None:
            axes.plot([x, x], [100 * estimate.low, 100 * estimate.high], color=colour, linewidth=2.5, alpha=0.9)
