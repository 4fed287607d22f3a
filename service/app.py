"""The web application: routes, pages and dashboard behind one guarded door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from fastapi import FastAPI

from service.api import catalog, datasets, effects, errors, health, models, openapi, session, studies, trials
from service.composition import Services, compose
from service.dashboard import Dashboard, dashboard_of
from service.database.engine import POOL_SIZE
from service.datasets import Datasets
from service.pages.routes import router as pages
from service.recent import Recent
from service.security import Credentials, Secured, check_host
from service.settings import Settings

THREADS = POOL_SIZE - 2
"""Requests answered at once; the coordinator has the other two connections.

With anyio's 40 threads, those that wait for the interpreter slow down the one that has it: beyond what one core can
answer, requests took twice as long and a fifth more processor time.
"""


def create_app(settings: Settings, services: Services | None = None) -> Secured:
    """Composes the application.

    Args:
        settings: What the operator set.
        services: What `compose(settings)` made, if the caller has it already.

    Raises:
        RefusedSettingError: The settings ask to listen beyond this machine.
        DatabaseUnavailableError: The database cannot be reached.
    """
    check_host(settings)
    services = services or compose(settings)
    credentials = Credentials(services.token)
    app = FastAPI(
        title="regtune", openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None, lifespan=_with_threads
    )
    app.state.settings = settings
    app.state.database = services.database
    app.state.studies = services.studies
    app.state.datasets = Datasets(services.database, settings.data_dir / "datasets")
    app.state.effects = Recent[bytes](effects.MAX_KEPT)
    app.state.credentials = credentials
    errors.install(app)
    for router in (
        health.router,
        session.router,
        pages,
        studies.router,
        trials.router,
        effects.router,
        catalog.router,
        models.router,
        datasets.router,
        openapi.router,
    ):
        app.include_router(router)
    app.openapi = partial(openapi.describe, app)  # type: ignore[method-assign]  # FastAPI's documented way
    app.router.default = Dashboard(partial(dashboard_of, services.database))
    return Secured(app, credentials=credentials, settings=settings)


@asynccontextmanager
async def _with_threads(_: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
