"""Serving: the web application in uvicorn, with a coordinator beside it if asked."""

import logging
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn

from service.app import create_app
from service.composition import Services, executor_of
from service.errors import ServiceError
from service.garbage import keep_loaded
from service.security import SIGN_IN_PATH, check_host
from service.settings import Settings

GRACE_SECONDS = 3
DRAIN_SECONDS = 20.0

logger = logging.getLogger(__name__)


class AddressInUseError(ServiceError):
    """Another process listens there."""

    title = "Address in use"


def serve(services: Services, *, coordinate: bool, announce: Callable[[str], None]) -> int:
    """Serves until SIGTERM or SIGINT, then lets requests end and gives unfinished work back.

    Args:
        services: What the application works with.
        coordinate: Whether to run studies too.
        announce: Told where to look, once the server listens.

    Returns:
        The exit status: 1 if the coordinator broke, else 0.
    """
    check_host(services.settings)
    stop = stop_on_signals()
    listener = listen(services.settings)
    config = uvicorn.Config(
        create_app(services.settings, services),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    worker = _Worker(services, stop, on_end=lambda: setattr(server, "should_exit", True)) if coordinate else None
    if worker is not None:
        worker.start()
    keep_loaded("server")
    announce(_where(services, listener))
    server.run(sockets=[listener])
    stop.set()
    if worker is None:
        return 0
    worker.join(DRAIN_SECONDS)
    return 1 if worker.broke else 0


def coordinate(services: Services, stop: threading.Event) -> None:
    """Runs studies until told to stop; training ends with it."""
    from service.coordinator.loop import Coordinator

    executor = executor_of(services.settings)
    try:
        Coordinator(services.database, executor, services.settings).run(stop)
    finally:
        executor.close()


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Uvicorn handles them itself while it runs, then passes them on."""
    stop = threading.Event()

    def remember(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, remember)
    return stop


class _Worker(threading.Thread):
    def __init__(self, services: Services, stop: threading.Event, on_end: Callable[[], None]) -> None:
        super().__init__(name="coordinator", daemon=True)
        self._services = services
        self._stop_event = stop
        self._on_end = on_end
        self.broke = False

    def run(self) -> None:
        try:
            coordinate(self._services, self._stop_event)
        except Exception:
            self.broke = True
            logger.exception("the coordinator broke", extra={"action": "coordinator_broke"})
        finally:
            self._on_end()


def listen(settings: Settings) -> socket.socket:
    """A socket at the address of the settings; port 0 takes a free one.

    Raises:
        AddressInUseError: It cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        msg = f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; --port takes another"
        raise AddressInUseError(msg) from None
    # asyncio does so for sockets whose protocol is named, which `create_server` leaves open; connections inherit it.
    # Without it each answer waits 40 ms for the client to acknowledge its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _where(services: Services, listener: socket.socket) -> str:
    host = services.settings.host
    base_url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    if services.token_is_new and not services.settings.allow_remote:  # where the log is not the user's own terminal
        return f"regtune listens. Sign in at {base_url}{SIGN_IN_PATH}#token={services.token}"
    return f"regtune listens at {base_url}/ui/ (the token is in {services.settings.token_path})"
