"""Commands that need no server: `run`, `validate`, `demo`."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.options import DONE, FAILED, JsonFlag, StudyArgument, command, note, print_json

if TYPE_CHECKING:
    from search_spaces.spec import StudySpec
    from service.composition import Services
    from service.settings import Settings
    from service.views import StudyView


def register(app: typer.Typer) -> None:
    """Adds the commands of this group."""
    command(app, demo)
    command(app, run)
    command(app, validate)


def run(study: StudyArgument, settings: "Settings", as_json: JsonFlag = False) -> int:
    """Run a study here, without a server, and print its effects."""
    from service.specs import load_study

    return run_spec(load_study(study), settings, as_json=as_json)


def validate(
    study: StudyArgument,
    settings: "Settings",
    layers: Annotated[
        bool | None, typer.Option(help="Show the model's layers with what regularizers do there [but with --json].")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a study, say what it would take, and show its model with the regularizers in place."""
    from service.cli.showing_models import print_layers
    from service.composition import compose
    from service.model_table import describe_model
    from service.specs import load_study

    spec = load_study(study)
    estimate = compose(settings).studies.validate(spec)
    described = describe_model(spec, settings) if layers or (layers is None and not as_json) else None
    if as_json:
        members = {} if described is None else {"model": described.model_dump(mode="json")}
        print_json(estimate.model_dump(mode="json") | members)
        return
    if described is not None:
        print_layers(described)
    for key, value in estimate.model_dump().items():
        typer.echo(f"{key.replace('_', ' ')}: {'unknown' if value is None else format(value, ',')}")


def demo(
    settings: "Settings",
    leave: Annotated[bool, typer.Option("--exit", help="End after the report instead of serving the pages.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """Find out what four regularizers do to real handwritten digits, then show it in the browser."""
    from service.cli.serving import serve_until_stopped
    from service.composition import compose
    from service.specs import load_study

    services = compose(settings)
    status = run_services(load_study("demo"), services, as_json=as_json, write_report=True)
    return status if leave or status != DONE else serve_until_stopped(services, coordinate=True)


def run_spec(spec: "StudySpec", settings: "Settings", *, as_json: bool) -> int:
    """Runs a study to its end and prints its effects."""
    from service.composition import compose

    return run_services(spec, compose(settings), as_json=as_json)


def run_services(spec: "StudySpec", services: "Services", *, as_json: bool, write_report: bool = False) -> int:
    """Runs a study to its end, prints its effects, and writes report and figure if asked."""
    from service.cli.showing import print_effects, write_report_files
    from service.effects.estimate import estimate

    study = _run_to_end(spec, services)
    record = services.studies.record(study.id)
    effects = estimate(record)
    if as_json:
        print_json(effects)
    else:
        print_effects(effects)
    if write_report:
        for path in write_report_files(effects, record, services.settings.data_dir):
            note(f"wrote {path}")
    note(f"study {study.id} is {study.state}" + (f": {study.reason}" if study.reason else ""))
    return DONE if study.state == "finished" else FAILED


def _run_to_end(spec: "StudySpec", services: "Services") -> "StudyView":
    from service.cli.progress import StudyBar
    from service.composition import executor_of
    from service.coordinator.loop import Coordinator

    study = services.studies.create(spec)
    note(f"study {study.id}: {study.name}")
    executor = executor_of(services.settings)
    try:
        with StudyBar() as bar:
            coordinator = Coordinator(services.database, executor, services.settings)
            coordinator.run_until_done(study.id, on_progress=bar.show)
            study = services.studies.get(study.id)
            bar.show(study)
    finally:
        executor.close()
    return study
