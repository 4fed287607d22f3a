"""Commands that only tell: `presets`, `doctor`."""

import typer

from service.cli.doctor import doctor
from service.cli.options import JsonFlag, command, print_json


def register(app: typer.Typer) -> None:
    """Adds the commands of this group."""
    command(app, presets)
    command(app, doctor)


def presets(as_json: JsonFlag = False) -> None:
    """List the case studies that can be run by name."""
    from rich.console import Console
    from rich.table import Table

    from search_spaces.presets import load_preset, preset_names

    found = [load_preset(name) for name in preset_names()]
    if as_json:
        print_json({"items": [preset.model_dump(mode="json") for preset in found], "next_cursor": None})
        return
    table = Table("name", "question", "published", "source", "minutes", box=None)
    table.columns[0].no_wrap = True
    for preset in found:
        table.add_row(preset.name, preset.question, preset.published, preset.source, f"{preset.minutes:g}")
    Console().print(table)
