"""Optuna's dashboard over the same database, for reading only."""

import re
import threading
from collections.abc import Callable

import anyio.to_thread
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.database.engine import Database
from service.garbage import keep_loaded
from service.problems import problem

READABLE = re.compile(
    r"/dashboard(/.*)?|/api/meta|/api/studies(/\d+(/param_importances|/plot/[a-z_]+)?)?|/csv/\d+"
    r"|/static/[A-Za-z0-9._-]+|/favicon\.ico"
)
"""What the dashboard's page asks for to show studies. Artifacts, notes, preferences and deletion are not among it."""

START_PAGE = "/ui/"


class Dashboard:
    """An ASGI application for every path that no route takes: the dashboard's page knows no other place than `/`.

    The dashboard and its storage are made at the first request for them, since importing them takes seconds.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers GET of known paths; 405 for other methods, 404 for other paths."""
        answer = await self._answer(scope["method"], scope["path"])
        if answer is self._app:
            scope = {**scope, "headers": _with_encoding(scope["headers"])}
        await answer(scope, receive, send)

    async def _answer(self, method: str, path: str) -> ASGIApp:
        if path == "/" and method in {"GET", "HEAD"}:
            return RedirectResponse(START_PAGE, status_code=307)
        if not READABLE.fullmatch(path):
            return problem(404, "Not found", f"nothing is at {path}")
        if method not in {"GET", "HEAD"}:
            return problem(
                405, "Method not allowed", "the dashboard is for reading only", headers={"allow": "GET, HEAD"}
            )
        return await anyio.to_thread.run_sync(self._made)

    def _made(self) -> ASGIApp:
        with self._lock:
            if self._app is None:
                self._app = self._make()
                keep_loaded("dashboard")
            return self._app


def dashboard_of(database: Database) -> ASGIApp:
    """Optuna's dashboard as an ASGI application."""
    from a2wsgi import WSGIMiddleware
    from optuna_dashboard import wsgi

    from service.optuna_bridge import make_storage

    app: ASGIApp = WSGIMiddleware(wsgi(make_storage(database, begin="BEGIN")))
    return app


def _with_encoding(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The dashboard answers 500 to requests without this header."""
    if any(name == b"accept-encoding" for name, _ in headers):
        return headers
    return [*headers, (b"accept-encoding", b"identity")]
