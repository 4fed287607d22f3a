"""`regtune grid`: a grid search written as one line of shell."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.options import JsonFlag, command

if TYPE_CHECKING:
    from service.settings import Settings

LEVELS = "one value, `a,b,c` or `low:high:step`"
DOSE_FLAGS = {
    "dropout": ("dropout", "rate"),
    "l1": ("l1", "factor"),
    "l2": ("l2", "factor"),
    "augmentation": ("augmentation", "policy"),
    "patience": ("early_stopping", "patience"),
}
"""Flag to the regularizer and the knob that it sets."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, grid)


def grid(
    settings: "Settings",
    dataset: Annotated[str, typer.Option(help="The dataset's name.")],
    model_family: Annotated[str, typer.Option(help="mlp, convnet or recurrent.")] = "mlp",
    hidden: Annotated[str, typer.Option(help="Units of the hidden dense layers, `128,128`.")] = "128,128",
    dropout: Annotated[str | None, typer.Option(help=f"Dropout rates: {LEVELS}.")] = None,
    l1: Annotated[str | None, typer.Option(help=f"L1 factors: {LEVELS}.")] = None,
    l2: Annotated[str | None, typer.Option(help=f"L2 factors: {LEVELS}.")] = None,
    augmentation: Annotated[str | None, typer.Option(help="Policies: `none,flip,shift,rotate,zoom`.")] = None,
    patience: Annotated[str | None, typer.Option(help=f"Early stopping, patience in epochs: {LEVELS}.")] = None,
    replicates: Annotated[int, typer.Option(help="Seeds per point.")] = 5,
    epochs: Annotated[int, typer.Option(help="Epochs per replicate.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Examples per step.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 0.001,
    preprocessing: Annotated[str | None, typer.Option(help="none, scale, standardize, column_l2 or zca.")] = None,
    protocol: Annotated[str, typer.Option(help="held_out or as_published.")] = "held_out",
    name: Annotated[str | None, typer.Option(help="The study's name.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the split and of the first replicate.")] = 0,
    as_json: JsonFlag = False,
) -> int:
    """Train every combination of the given levels here, and print what each regularizer did.

    regtune grid --dataset circles --hidden 500 --dropout 0:0.9:0.1 --replicates 30 --epochs 4000
    """
    from service.cli.embedded import run_spec
    from service.cli.levels import integers
    from service.specs import parse_spec

    doses = {"dropout": dropout, "l1": l1, "l2": l2, "augmentation": augmentation, "patience": patience}
    spec = parse_spec(
        {
            "name": name or f"{dataset}-grid",
            "tags": ["grid"],
            "dataset": dataset,
            "model": {"family": model_family, "hidden_units": integers("--hidden", hidden)},
            "preprocessing": preprocessing or ("none" if dataset == "circles" else "scale"),
            "regularizers": _regularizers(doses),
            "training": {"epochs": epochs, "batch_size": batch_size, "optimizer": {"learning_rate": learning_rate}},
            "search": {"sampler": "grid"},
            "budget": {"replicates": replicates},
            "evaluation": {"protocol": protocol},
            "seed": seed,
        }
    )
    return run_spec(spec, settings, as_json=as_json)


def _regularizers(doses: dict[str, str | None]) -> dict[str, Any]:
    from service.cli.levels import levels

    return {
        regularizer: {knob: levels(f"--{flag}", text)}
        for flag, (regularizer, knob) in DOSE_FLAGS.items()
        if (text := doses[flag]) is not None
    }
