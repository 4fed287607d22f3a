"""What all plotly figures share. Figures are plain data, ready for `Plotly.newPlot` and for JSON."""

from typing import Any, TypeAlias

from service.effects.palette import GRID

Figure: TypeAlias = dict[str, Any]
"""A plotly figure: `data` (a list of traces) and `layout`."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def figure(traces: list[Figure], *, title: str, x: Figure, y: Figure, **layout: Any) -> Figure:
    """Traces under a title in words, on a transparent ground with quiet grid lines."""
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "ticks": "outside", "tickcolor": GRID}
    return {
        "data": traces,
        "layout": {
            "title": {"text": title, "x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 15}},
            "font": {"family": FONT, "size": 13},
            "paper_bgcolor": "rgba(0, 0, 0, 0)",
            "plot_bgcolor": "rgba(0, 0, 0, 0)",
            "margin": {"l": 64, "r": 24, "t": 76, "b": 56},
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
            "hovermode": "closest",
            "height": 420,
            "xaxis": axis | x,
            "yaxis": axis | y,
            **layout,
        },
    }


def as_percent(fraction: float | None) -> float | None:
    """An accuracy in percent, rounded to what a picture can show."""
    return None if fraction is None else round(100 * float(fraction), 3)
