"""What every command shares: settings as flags, refusals as messages and exit status, output."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from service.settings import Settings

DONE, FAILED, WRONG_INPUT = 0, 1, 2

JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
StudyArgument: TypeAlias = Annotated[str, typer.Argument(metavar="STUDY", help="A preset's name or a YAML/JSON file.")]
StudyIdArgument: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The study's id.")]

_PANEL = "Settings (each also as environment variable REGTUNE_…)"


def _flag(name: str, help_text: str) -> Any:
    return typer.Option(name, help=help_text, rich_help_panel=_PANEL, show_default=False)


SETTINGS_FLAGS: dict[str, Any] = {
    "data_dir": Annotated[Path | None, _flag("--data-dir", "Database, datasets, logs and token [./.regtune].")],
    "database": Annotated[str | None, _flag("--database", "sqlite:///FILE or postgresql+psycopg://…")],
    "host": Annotated[str | None, _flag("--host", "Address of the server [127.0.0.1].")],
    "port": Annotated[int | None, _flag("--port", "Port of the server [8080].")],
    "executor": Annotated[str | None, _flag("--executor", "Where training happens: processes, ray or inline.")],
    "processes": Annotated[int | None, _flag("--processes", "Training processes; 0 means one per GPU or core.")],
    "device": Annotated[str | None, _flag("--device", "What each training process takes: auto, cpu or gpu [auto].")],
    "backend": Annotated[str | None, _flag("--backend", "Keras' backend: tensorflow or jax [tensorflow].")],
    "ray_address": Annotated[str | None, _flag("--ray-address", "auto, local, HOST:PORT or ray://HOST:PORT [auto].")],
}


def application() -> typer.Typer:
    """An application without commands."""
    return typer.Typer(
        name="regtune",
        help="Which regularizers help a Keras model, by how much, and is it real?",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def command(app: typer.Typer, function: Callable[..., Any], name: str | None = None) -> None:
    """Adds a command whose refusals become messages; a parameter `settings` becomes the flags of the settings."""
    parameters = list(inspect.signature(function).parameters.values())
    wants_settings = any(p.name == "settings" for p in parameters)
    kept = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters if p.name != "settings"]
    flags = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for key, annotation in SETTINGS_FLAGS.items()
        if wants_settings
    ]

    def call(**arguments: Any) -> None:
        asked = {key: arguments.pop(key) for key in SETTINGS_FLAGS if wants_settings}
        raise typer.Exit(_guarded(function, asked if wants_settings else None, arguments))

    call.__name__ = function.__name__
    call.__doc__ = inspect.getdoc(function)
    call.__signature__ = inspect.Signature([*kept, *flags])  # type: ignore[attr-defined]  # what inspect reads
    call.__annotations__ = {p.name: p.annotation for p in (*kept, *flags)}
    app.command(name)(call)


def _guarded(function: Callable[..., Any], asked: dict[str, Any] | None, arguments: dict[str, Any]) -> int:
    from service.errors import InvalidStudySpecError, RefusedSettingError, ServiceError

    try:
        if asked is not None:
            arguments["settings"] = _settings(asked)
        status = function(**arguments)
    except InvalidStudySpecError as error:
        for fault in error.errors:
            complain(f"{fault['field']}: expected {fault['expected']}; received {fault['received']}")
        return WRONG_INPUT
    except ServiceError as error:
        complain(str(error))
        return WRONG_INPUT if isinstance(error, RefusedSettingError) else FAILED
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    return DONE if status is None else int(status)


def _settings(asked: dict[str, Any]) -> "Settings":
    from pydantic import ValidationError

    from service.errors import InvalidStudySpecError
    from service.refusals import refusals
    from service.settings import Settings

    given = {key: value for key, value in asked.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        data = {str(key): fault["input"] for fault in error.errors() for key in fault["loc"][:1]}
        faults = refusals(error, Settings, data, root="settings")
        raise InvalidStudySpecError(
            [{**f, "field": f"--{f['field'].replace('_', '-')}"} for f in faults],
        ) from None


def complain(text: str) -> None:
    """Says on standard error what went wrong."""
    typer.secho(f"regtune: {text}", err=True, fg="red" if sys.stderr.isatty() else None)


def note(text: str) -> None:
    """Says on standard error what happens."""
    typer.echo(text, err=True)


def print_json(document: Any) -> None:
    """Prints a pydantic model, or plain data, as JSON on standard output."""
    import json

    text = (
        document.model_dump_json(indent=2) if hasattr(document, "model_dump_json") else json.dumps(document, indent=2)
    )
    typer.echo(text)
