"""Commands that stay: `serve`, `api`, `coordinator`."""

import logging
from typing import TYPE_CHECKING

import typer

from service.cli.options import command, note

if TYPE_CHECKING:
    from service.composition import Services
    from service.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the commands of this group."""
    command(app, serve)
    command(app, api)
    command(app, coordinator)


def serve(settings: "Settings") -> int:
    """Serve REST and pages, and run studies."""
    return _serve(settings, coordinate=True)


def api(settings: "Settings") -> int:
    """Serve REST and pages only; a `regtune coordinator` runs the studies."""
    return _serve(settings, coordinate=False)


def coordinator(settings: "Settings") -> None:
    """Run studies only."""
    from service.composition import compose
    from service.server import coordinate, stop_on_signals

    _log(settings)
    services = compose(settings)
    note("the coordinator is at work")
    coordinate(services, stop_on_signals())


def _serve(settings: "Settings", *, coordinate: bool) -> int:
    from service.composition import compose
    from service.security import check_host

    check_host(settings)
    return serve_until_stopped(compose(settings), coordinate=coordinate)


def serve_until_stopped(services: "Services", *, coordinate: bool) -> int:
    """Serves in the foreground."""
    from service.server import serve as serve_services

    _log(services.settings)
    return serve_services(services, coordinate=coordinate, announce=note)


def _log(settings: "Settings") -> None:
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("alembic", "httpx", "optuna", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
