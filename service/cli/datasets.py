"""`regtune datasets`: the data of a running server, or (`--here`) of the data directory on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from service.cli.options import JsonFlag, command, note, print_json
from service.cli.remote import connect

if TYPE_CHECKING:
    from service.datasets import Datasets
    from service.settings import Settings
    from service.views import DatasetView

HereFlag: TypeAlias = Annotated[bool, typer.Option("--here", help="Use the data directory itself, without a server.")]
NameArgument: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]
FileArgument: TypeAlias = Annotated[
    Path, typer.Argument(metavar="FILE", help="An .npz file, or a .csv file with a column `label`.", dir_okay=False)
]


def register(app: typer.Typer) -> None:
    """Adds the commands of this group."""
    group = typer.Typer(name="datasets", help="List, add and remove data that studies may name.", no_args_is_help=True)
    for function, name in ((add, "add"), (list_datasets, "list"), (show, "show"), (remove, "remove")):
        command(group, function, name)
    app.add_typer(group)


def add(
    file: FileArgument,
    settings: "Settings",
    name: Annotated[str | None, typer.Option(help="The dataset's name; the file's by default.")] = None,
    here: HereFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a file of numbers."""
    _expect_file(file)
    chosen = name or file.stem
    if here:
        with _in_folder(settings) as datasets:
            view = datasets.add_file(file, chosen)
    else:
        with connect(settings) as client:
            view = client.add_dataset(file, chosen)
    _answer([view], as_json=as_json)


def list_datasets(settings: "Settings", here: HereFlag = False, as_json: JsonFlag = False) -> None:
    """List built-in data and files."""
    from service.views import DatasetView, Page

    if here:
        with _in_folder(settings) as datasets:
            views = datasets.list_datasets()
    else:
        with connect(settings) as client:
            views = client.datasets().items
    if as_json:
        print_json(Page[DatasetView](items=views))
    else:
        _answer(views, as_json=False)


def show(name: NameArgument, settings: "Settings", here: HereFlag = False, as_json: JsonFlag = False) -> None:
    """Show one dataset."""
    if here:
        with _in_folder(settings) as datasets:
            view = datasets.get(name)
    else:
        with connect(settings) as client:
            view = client.dataset(name)
    _answer([view], as_json=as_json)


def remove(name: NameArgument, settings: "Settings", here: HereFlag = False) -> None:
    """Remove a dataset that no unfinished study needs."""
    if here:
        with _in_folder(settings) as datasets:
            datasets.remove(name)
    else:
        with connect(settings) as client:
            client.remove_dataset(name)
    note(f"dataset {name} is removed")


@contextmanager
def _in_folder(settings: "Settings") -> Iterator["Datasets"]:
    from service.composition import compose
    from service.datasets import Datasets

    services = compose(settings)
    try:
        yield Datasets(services.database, settings.data_dir / "datasets")
    finally:
        services.database.dispose()


def _expect_file(file: Path) -> None:
    from service.errors import InvalidStudySpecError

    if not file.is_file() or file.suffix not in (".npz", ".csv"):
        raise InvalidStudySpecError(
            [{"field": "FILE", "expected": "an .npz or .csv file that exists", "received": str(file)}]
        )


def _answer(views: list["DatasetView"], *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    if as_json:
        print_json(views[0])
        return
    table = Table("name", "shape", "classes", "train", "test", "what it is", box=None)
    for view in views:
        shape = "?" if view.shape is None else "x".join(map(str, view.shape))
        counts = [("" if count is None else str(count)) for count in (view.n_classes, view.n_train, view.n_test)]
        table.add_row(view.name, shape, *counts, view.summary)
    Console().print(table)
