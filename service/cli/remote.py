"""Commands that talk to a running server: `submit`, `list`, `show`, `watch`, `effects` and steering."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from service.cli.options import DONE, FAILED, JsonFlag, StudyArgument, StudyIdArgument, command, note, print_json

if TYPE_CHECKING:
    from service.client import Client
    from service.settings import Settings
    from service.views import StudyView

POLL_SECONDS = 0.5

Form: TypeAlias = Literal["table", "json", "csv", "html", "png"]


def register(app: typer.Typer) -> None:
    """Adds the commands of this group."""
    command(app, submit)
    command(app, list_studies, "list")
    command(app, show)
    command(app, watch)
    command(app, effects)
    for verb in ("pause", "resume", "cancel"):
        command(app, _steering(verb), verb)
    command(app, delete)


def submit(
    study: StudyArgument,
    settings: "Settings",
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the study has ended.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """Hand a study to the server."""
    from service.specs import load_study

    spec = load_study(study)
    with connect(settings) as client:
        view = client.submit(spec.model_dump(mode="json", exclude_unset=True))
        if wait:
            note(f"study {view.id}: {view.name}")
            view = _follow(client, view.id)
        return _answer(view, as_json=as_json, ended=wait)


def list_studies(
    settings: "Settings",
    state: Annotated[str | None, typer.Option(help="Only studies in this state.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only studies with this tag.")] = None,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Studies per page.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List studies, the newest first."""
    from service.cli.showing import print_studies

    with connect(settings) as client:
        page = client.studies(state=state, tag=tag, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
    else:
        print_studies(page.items)


def show(study_id: StudyIdArgument, settings: "Settings", as_json: JsonFlag = False) -> None:
    """Show one study with its trials."""
    from service.cli.showing import print_study

    with connect(settings) as client:
        view = client.study(study_id)
        if as_json:
            print_json(view)
            return
        trials = client.trials(study_id, limit=200)
    print_study(view, trials.items, more=trials.next_cursor is not None)


def watch(study_id: StudyIdArgument, settings: "Settings", as_json: JsonFlag = False) -> int:
    """Follow a study until it has ended."""
    with connect(settings) as client:
        return _answer(_follow(client, study_id), as_json=as_json, ended=True)


def effects(
    study_id: StudyIdArgument,
    settings: "Settings",
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = "table",
    output: Annotated[Path | None, typer.Option(help="The file to write instead of standard output.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print what each regularizer did to accuracy."""
    from service.cli.showing import print_effects
    from service.effects.view import Effects

    chosen: Form = "json" if as_json else form
    with connect(settings) as client:
        content = client.effects(study_id, "json" if chosen == "table" else chosen)
    if chosen == "table" and output is None:
        print_effects(Effects.model_validate_json(content))
    elif output is not None:
        output.write_bytes(content)
        note(f"wrote {output}")
    else:
        typer.echo(content, nl=False)


def delete(study_id: StudyIdArgument, settings: "Settings") -> None:
    """Delete a study with its trials."""
    with connect(settings) as client:
        client.delete(study_id)
    note(f"study {study_id} is deleted")


def _steering(verb: str) -> Callable[..., int]:
    def steer(study_id: StudyIdArgument, settings: "Settings", as_json: JsonFlag = False) -> int:
        with connect(settings) as client:
            return _answer(client.steer(study_id, verb), as_json=as_json, ended=False)

    steer.__name__ = verb
    steer.__doc__ = f"{verb.capitalize()} a study."
    return steer


def connect(settings: "Settings") -> "Client":
    """A connection to the server of these settings; the token comes from the data directory or REGTUNE_TOKEN."""
    from service.client import Client, ServerUnreachableError

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    token = os.environ.get("REGTUNE_TOKEN", "")
    if not token and not settings.token_path.exists():
        msg = f"no token in {settings.token_path}; `regtune serve` makes one, --data-dir says where else to look"
        raise ServerUnreachableError(msg)
    return Client(f"http://{host}:{settings.port}", token or settings.token_path.read_text().strip())


def _follow(client: "Client", study_id: str) -> "StudyView":
    from service.cli.progress import StudyBar
    from service.views import ENDED_STUDY_STATES

    with StudyBar() as bar:
        while True:
            view = client.study(study_id)
            bar.show(view)
            if view.state in ENDED_STUDY_STATES:
                return view
            time.sleep(POLL_SECONDS)


def _answer(view: "StudyView", *, as_json: bool, ended: bool) -> int:
    if as_json:
        print_json(view)
    else:
        typer.echo(f"study {view.id} is {view.state}" + (f": {view.reason}" if view.reason else ""))
    return FAILED if ended and view.state != "finished" else DONE
