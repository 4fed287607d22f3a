"""Commands about models: `import-model`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.options import JsonFlag, command, note, print_json

if TYPE_CHECKING:
    from service.model_import import ImportedModel


def register(app: typer.Typer) -> None:
    """Adds the commands of this group."""
    command(app, import_model, "import-model")


def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What model.to_json() of Keras gave.")],
    output: Annotated[Path | None, typer.Option(help="The file to write instead of standard output.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Translate a Keras model's JSON into a list of layers for a study, without ever making that model."""
    from service import model_import
    from service.documents import parse_json
    from service.specs import read_document

    imported = model_import.import_model(parse_json(read_document(file, field="model"), field="model"))
    if as_json and output is None:
        print_json(imported)
        return
    text = imported.model_dump_json(indent=2) + "\n" if as_json else _yaml(imported)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text)
        note(f"wrote {output}")
    shape = "unknown" if imported.input_shape is None else "x".join(map(str, imported.input_shape))
    weights = "unknown" if imported.parameters is None else f"{imported.parameters:,}"
    note(f"{len(imported.model['layers'])} layers; examples {shape}, {imported.n_classes} classes, {weights} weights")


def _yaml(imported: "ImportedModel") -> str:
    import yaml

    layers = imported.model["layers"]
    lines = [yaml.safe_dump(layer, default_flow_style=True, sort_keys=False, width=10_000).strip() for layer in layers]
    listed = "".join(f"\n    - {line}" for line in lines) or " []"
    return f"model:\n  family: layers\n  layers:{listed}\n"
