"""Training on a Ray cluster: as many cohorts at once as its nodes have GPUs, or CPU cores.

Importing this imports no Ray: a driver process (`trials.executors.cluster.driver`) speaks to the cluster.
"""

import contextlib
import importlib.util
import logging
import os
import selectors
import sys
import time
from pathlib import Path

from trials.errors import shorten
from trials.executors.base import Executor, ExecutorMissingError
from trials.executors.child import EXIT_GRACE_SECONDS, Child
from trials.executors.cluster.messages import NEWS, Cancel, Capacity, News, Setup
from trials.executors.trainer import environment
from trials.protocol import Cohort, CohortLost, Event, SegmentReport, Verdicts

log = logging.getLogger(__name__)

CONTACT_SECONDS = 15.0
"""How long callers are made to wait for the first contact with the cluster; well below the length of a lease."""

FIRST_BACK_OFF_SECONDS = 1.0
MAX_BACK_OFF_SECONDS = 30.0

RAY_DEFAULTS = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
"""Who wants a cluster without a token has to say so: `RAY_AUTH_MODE=disabled`."""


class RayDriver(Child):
    """The driver process, which Ray ends when it loses the cluster.

    Args:
        setup: What it is to do.
        log_path: Its log.
    """

    name = "Ray driver"

    def __init__(self, setup: Setup, log_path: Path) -> None:
        given = {key: value for key, value in os.environ.items() if key.startswith("RAY_") or key == "REGTUNE_NODE_DIR"}
        command = [sys.executable, "-P", "-m", "trials.executors.cluster.driver"]
        super().__init__(command, environment() | RAY_DEFAULTS | given, log_path)
        self.send(setup)


class RayExecutor(Executor):
    """Trains each cohort in a training actor of a Ray cluster. Slots follow the cluster as nodes come and go.

    While the cluster cannot be reached there is no free slot, and it is tried again, less and less often.

    Args:
        setup: What to ask of the cluster.
        logs_dir: Where `ray-driver.log` is written.

    Raises:
        ExecutorMissingError: Ray is not installed.
    """

    def __init__(self, setup: Setup, logs_dir: Path) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ExecutorMissingError("executor ray: expected the package ray; `pip install 'regtune[ray]'` adds it")
        self._setup = setup
        self._log_path = logs_dir / "ray-driver.log"
        self._driver: RayDriver | None = None
        self._n_slots: int | None = None
        self._under_way: dict[str, Cohort] = {}
        self._events: list[Event] = []
        self._back_off_seconds = 0.0
        self._start_at = 0.0
        self._started_at = 0.0

    def free_slots(self) -> int:
        """Cohorts that the cluster has room for beside those under way; none while it cannot be reached."""
        self._make_contact()
        return max((self._n_slots or 0) - len(self._under_way), 0)

    @property
    def n_slots(self) -> int:
        """Cohorts that the cluster can train at once, at least 1."""
        self._make_contact()
        return max(self._n_slots or 1, 1)

    def submit(self, cohort: Cohort) -> None:
        """Hands the cohort to the cluster, where it may wait for an actor to be placed."""
        if self.free_slots() < 1:
            n_taken, n_slots = len(self._under_way), self._n_slots or 0
            raise RuntimeError(f"expected a free slot; received a cohort while {n_taken} of {n_slots} are taken")
        self._start_if_due()
        if cohort.checkpoints_dir is not None:  # nodes that see this folder share it
            with contextlib.suppress(OSError):
                cohort.checkpoints_dir.parent.mkdir(parents=True, exist_ok=True)
        self._under_way[cohort.cohort_id] = cohort
        if self._driver:
            self._driver.send(cohort)

    def poll(self, timeout_seconds: float) -> list[Event]:
        """Hears what the driver says."""
        until = time.monotonic() + timeout_seconds
        while True:
            self._listen(0.0 if self._events else max(until - time.monotonic(), 0.0))
            if self._events or time.monotonic() >= until:
                events, self._events = self._events, []
                return events

    def answer(self, verdicts: Verdicts) -> None:
        """Sends the verdicts on their way."""
        if self._driver and verdicts.cohort_id in self._under_way:
            self._driver.send(verdicts)

    def cancel(self, cohort_id: str) -> None:
        """Has the actor killed that trains this cohort."""
        if self._driver and cohort_id in self._under_way:
            self._driver.send(Cancel(cohort_id=cohort_id))

    def close(self) -> None:
        """Ends the driver; the cluster ends its actors, and they their training processes."""
        if self._driver:
            self._driver.end(EXIT_GRACE_SECONDS)
        self._driver = None
        self._under_way.clear()
        self._events.clear()

    def _make_contact(self) -> None:
        """Takes in what the driver has said; waits for its first word, unless that was tried before in vain."""
        if self._n_slots is None:
            self._start_if_due()
        self._listen(0.0)
        until = self._started_at + CONTACT_SECONDS
        while self._n_slots is None and not self._back_off_seconds and time.monotonic() < until:
            self._listen(until - time.monotonic())

    def _start_if_due(self) -> None:
        if self._driver is None and time.monotonic() >= self._start_at:
            self._started_at = time.monotonic()
            try:
                self._driver = RayDriver(self._setup, self._log_path)
            except OSError as error:
                self._wait_longer(f"its driver cannot be started: {error}")

    def _listen(self, timeout_seconds: float) -> None:
        driver = self._driver
        if driver is None:
            time.sleep(min(timeout_seconds, max(self._start_at - time.monotonic(), 0.0)))
            return
        with selectors.DefaultSelector() as selector:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if driver.has_unsent else 0)
            selector.register(driver.channel, wanted)
            for _, ready in selector.select(timeout_seconds):
                if ready & selectors.EVENT_WRITE:
                    driver.flush()
                if ready & selectors.EVENT_READ:
                    self._hear(driver)

    def _hear(self, driver: RayDriver) -> None:
        bodies = driver.receive()
        if bodies is None:
            self._mourn(driver)
            return
        for body in bodies:
            self._take(NEWS.validate_json(body))

    def _take(self, news: News) -> None:
        if isinstance(news, Capacity):
            self._n_slots, self._back_off_seconds = news.n_slots, 0.0
            log.info("the Ray cluster has room for %d cohorts", news.n_slots, extra={"action": "ray_capacity"})
        elif news.cohort_id in self._under_way:
            self._events.append(news)
            if not isinstance(news, SegmentReport):
                del self._under_way[news.cohort_id]

    def _mourn(self, driver: RayDriver) -> None:
        """The driver ended: everything under way is lost, and the cluster is tried again after a while."""
        ending = driver.end(EXIT_GRACE_SECONDS)
        self._driver = None
        reason = shorten(f"the Ray cluster was lost: {ending}")
        self._events += [CohortLost(cohort_id=name, cause="killed", reason=reason) for name in self._under_way]
        self._under_way.clear()
        self._wait_longer(ending)

    def _wait_longer(self, why: str) -> None:
        self._n_slots = None
        doubled = max(2 * self._back_off_seconds, FIRST_BACK_OFF_SECONDS)
        self._back_off_seconds = min(doubled, MAX_BACK_OFF_SECONDS)
        self._start_at = time.monotonic() + self._back_off_seconds
        log.warning("the Ray cluster is out of reach: %s", why, extra={"action": "ray_out_of_reach"})
