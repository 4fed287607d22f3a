"""A heat map of test accuracy in the measured cells of two regularizers."""

from service.effects.layout import Figure, as_percent, figure
from service.effects.view import Interaction, Measure
from service.effects.wording import percent, title


def interaction_figure(interaction: Interaction, accuracy: Measure = "accuracy") -> Figure:
    """Rows are the levels of the first regularizer, columns those of the second; unmeasured cells stay empty."""
    cells = {(cell.first, cell.second): cell for cell in interaction.cells}
    grid = [[cells.get((row, column)) for column in interaction.second_levels] for row in interaction.first_levels]
    trace = {
        "type": "heatmap",
        "x": list(range(len(interaction.second_levels))),
        "y": list(range(len(interaction.first_levels))),
        "z": [[as_percent(cell.test_accuracy.mean) if cell else None for cell in row] for row in grid],
        "text": [[f"{percent(cell.test_accuracy.mean)}<br>n {cell.n}" if cell else "" for cell in row] for row in grid],
        "texttemplate": "%{text}",
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": "Cividis",
        "colorbar": {"title": {"text": "test (%)"}, "thickness": 14},
        "xgap": 2,
        "ygap": 2,
    }
    return figure(
        [trace],
        title=f"Test {accuracy} by {title(interaction.first)} and {title(interaction.second)}",
        x=_axis(interaction.second, interaction.second_levels),
        y=_axis(interaction.first, interaction.first_levels),
        height=max(340, 180 + 46 * len(interaction.first_levels)),
    )


def _axis(name: str, labels: list[str]) -> Figure:
    return {
        "title": {"text": title(name)},
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "showgrid": False,
    }
