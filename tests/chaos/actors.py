"""Coordinators and servers in processes of their own, killed, stopped and terminated by the test that started them.

They are forked from a server that has imported everything already, so that starting one takes a moment.
"""

import logging
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx

from service.coordinator.desk import Desk
from service.database.engine import Database
from service.settings import Settings
from tests.chaos.studies import wait_until
from tests.formula_executor import FormulaExecutor
from tests.journey.ports import free_port
from trials.protocol import Event, ReplicateResult, SegmentReport, Verdicts

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.preload"])

LEASE_SECONDS = 0.8
JOIN_SECONDS = 40.0


@dataclass(frozen=True)
class Orders:
    """What a coordinator process is started with.

    Attributes:
        log_path: Where it writes what it was told: a line per acknowledged result and per refused write.
        pause_seconds: Time that each segment takes.
        clock_shift_seconds: How wrong this process takes the time of day to be.
        zone: Its time zone.
    """

    url: str
    folder: Path
    log_path: Path
    lease_seconds: float = LEASE_SECONDS
    pause_seconds: float = 0.01
    clock_shift_seconds: float = 0.0
    zone: str = "UTC"


class LoggingExecutor(FormulaExecutor):
    """Trains by formula, slowly, and logs each result that the ledger has acknowledged."""

    def __init__(self, orders: Orders) -> None:
        super().__init__()
        self._pause_seconds = orders.pause_seconds
        self._log = os.open(orders.log_path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self._reported: dict[str, list[ReplicateResult]] = {}
        self._stop_order = stop_order(orders, os.getpid())
        self.desk: Desk | None = None
        logging.getLogger("service.coordinator").addHandler(_RefusalHandler(self._write))

    def poll(self, timeout_seconds: float) -> list[Event]:
        time.sleep(self._pause_seconds)
        events = super().poll(timeout_seconds)
        if events and self._is_to_stop():
            os.kill(os.getpid(), signal.SIGSTOP)
        for event in events:
            if isinstance(event, SegmentReport):
                self._reported[event.cohort_id] = [result for lane in event.lanes for result in lane.results]
        return events

    def answer(self, verdicts: Verdicts) -> None:
        acknowledged = [r for r in self._reported.pop(verdicts.cohort_id, []) if r.replicate_id not in verdicts.stop]
        if self.desk is not None and self.desk.owner_of(self.desk.flights[verdicts.cohort_id]) is not None:
            for result in acknowledged:
                self._write(f"result {result.replicate_id} {result.metrics.validation_accuracy!r}")
        super().answer(verdicts)

    def _is_to_stop(self) -> bool:
        try:
            self._stop_order.unlink()
        except FileNotFoundError:
            return False
        return True

    def _write(self, line: str) -> None:
        os.write(self._log, f"{line}\n".encode())


class _RefusalHandler(logging.Handler):
    """Writes a line as soon as a write was refused."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "action", None) == "lease_lost":
            self._write("refused")


def stop_order(orders: Orders, pid: int) -> Path:
    """The file whose existence tells a coordinator process to stop between what it heard and what it writes."""
    return orders.log_path.with_name(f"stop-{pid}")


def coordinate(orders: Orders) -> None:
    """The life of a coordinator process."""
    from service.coordinator import loop
    from service.server import stop_on_signals

    os.environ["TZ"] = orders.zone
    time.tzset()
    right = time.time
    time.time = lambda: right() + orders.clock_shift_seconds
    loop.POLL_SECONDS = 0.01
    database, executor = Database(orders.url), LoggingExecutor(orders)
    settings = Settings(data_dir=orders.folder, lease_seconds=orders.lease_seconds)
    coordinator = loop.Coordinator(database, executor, settings)
    executor.desk = coordinator.desk
    coordinator.run(stop_on_signals())


def serve(url: str, folder: Path, port: int) -> None:
    """The life of an API process."""
    from service.composition import compose
    from service.server import serve as serve_until_stopped

    settings = Settings(data_dir=folder, database=url, port=port)
    serve_until_stopped(compose(settings), coordinate=False, announce=lambda _where: None)


@dataclass
class Fleet:
    """Coordinator processes on one database."""

    orders: Orders
    processes: list[ForkServerProcess] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def start(self) -> ForkServerProcess:
        """Starts one more."""
        process = CONTEXT.Process(target=coordinate, args=(self.orders,), daemon=True)
        process.start()
        self.processes.append(process)
        return process

    def kill(self, process: ForkServerProcess) -> None:
        """Kills one with SIGKILL."""
        process.kill()
        process.join(JOIN_SECONDS)
        self.processes.remove(process)
        self.faults["kill -9"] += 1

    def stop_and_continue(self, process: ForkServerProcess, seconds: float) -> None:
        """Stops one for a while with SIGSTOP."""
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        self.resume(process)
        self.faults["SIGSTOP"] += 1

    def resume(self, process: ForkServerProcess) -> None:
        """Lets a stopped one go on."""
        assert process.pid is not None
        os.kill(process.pid, signal.SIGCONT)

    def stop_before_it_writes(self, process: ForkServerProcess, is_over: Callable[[], bool]) -> bool:
        """Has one stop itself when it next has something to write, and waits until it has.

        Args:
            process: Which one.
            is_over: Whether it has nothing to write any more, and need not be waited for.

        Returns:
            Whether it stopped.
        """
        assert process.pid is not None
        order = stop_order(self.orders, process.pid)
        order.touch()
        wait_until(lambda: not order.exists() or is_over(), "a coordinator to stop")
        try:
            order.unlink()
        except FileNotFoundError:  # it has taken the order, and stops
            self.faults["SIGSTOP"] += 1
            return True
        return False

    def terminate(self, process: ForkServerProcess) -> tuple[int | None, float]:
        """Asks one to end with SIGTERM; its exit status and the seconds that it took."""
        began = time.monotonic()
        process.terminate()
        process.join(JOIN_SECONDS)
        self.processes.remove(process)
        self.faults["SIGTERM"] += 1
        return process.exitcode, time.monotonic() - began

    def told(self) -> tuple[dict[int, float], int]:
        """What was acknowledged, by replicate id, and how many writes were refused."""
        path = self.orders.log_path
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        acknowledged = {int(line[1]): float(line[2]) for line in lines if line[0] == "result" and line[2] != "None"}
        return acknowledged, sum(line[0] == "refused" for line in lines)


@contextmanager
def fleet_of(orders: Orders, n: int) -> Iterator[Fleet]:
    """So many coordinators; whatever still runs at the end is killed."""
    fleet = Fleet(orders)
    try:
        for _ in range(n):
            fleet.start()
        yield fleet
    finally:
        for process in list(fleet.processes):
            process.kill()
            process.join(JOIN_SECONDS)


@dataclass
class Api:
    """An API process with its client."""

    process: ForkServerProcess
    client: httpx.Client

    def is_ready(self) -> bool:
        """Whether it answers that it and its database can be used."""
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def api_of(url: str, folder: Path) -> Iterator[Api]:
    """An API process that answers; killed at the end."""
    port = free_port()
    process = CONTEXT.Process(target=serve, args=(url, folder, port), daemon=True)
    process.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        api = Api(process, client)
        wait_until(api.is_ready, "the API")
        client.headers["authorization"] = f"Bearer {(folder / 'token').read_text().strip()}"
        yield api
    process.kill()
    process.join(JOIN_SECONDS)
