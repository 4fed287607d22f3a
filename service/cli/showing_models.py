"""How the terminal shows a model."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trials.description import DescribedModel


def print_layers(described: "DescribedModel") -> None:
    """Prints each layer of a model with what regularizers do there."""
    from rich.console import Console
    from rich.table import Table

    table = Table("layer", "kind", "output", "weights", "regularizers", box=None)
    table.columns[0].no_wrap = True
    table.columns[3].justify = "right"
    for row in described.rows:
        shape = "x".join(map(str, row.output_shape))
        table.add_row(row.name, row.kind, shape, f"{row.n_parameters:,}", ", ".join(row.regularizers))
    console = Console()
    console.print(table)
    for regularizer, where in described.elsewhere.items():
        console.print(f"{regularizer}: {where}")
