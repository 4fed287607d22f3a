"""A child process with a socket to it and a log: start it, send to it, hear from it, end it."""

import contextlib
import os
import select
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import psutil
from pydantic import BaseModel

from trials.executors.wire import Decoder, encode

CHUNK_BYTES = 2**18
EXIT_GRACE_SECONDS = 5.0
"""How long a process that closed its socket may take to end by itself."""

KILLING_SIGNALS = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""A process does not send these to itself."""

MAX_LOG_BYTES = 2**20
"""A log that is longer is begun anew by the next process."""

LOG_TAIL_BYTES = 4096
LOG_TAIL_LENGTH = 600
"""Characters of the log that go into a reason."""


class Child:
    """A child process that leads a process group of its own, with its socket and its log.

    Args:
        command: What to start; the descriptor of its socket follows as `--fd`.
        environment: Its whole environment.
        log_path: Where its standard output and error go.

    Raises:
        OSError: The process cannot be started.
    """

    name: ClassVar[str] = "process"
    """What people are told that ended."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log_path: Path) -> None:
        self._log_path = log_path
        self._decoder = Decoder()
        self._unsent = bytearray()
        self.was_killed = False
        """Whether somebody else killed the process; known once it has ended."""
        self.channel, childs_end = socket.socketpair()
        try:
            self._process, self._log_start = _start(command, environment, log_path, childs_end)
        except OSError:
            self.channel.close()
            raise
        finally:
            childs_end.close()
        self.channel.setblocking(False)

    @property
    def pid(self) -> int:
        """Id of the process, and of its group."""
        return self._process.pid

    @property
    def has_unsent(self) -> bool:
        """Whether a message waits until the socket can take it."""
        return bool(self._unsent)

    def send(self, message: BaseModel) -> None:
        """Sends a message as far as the socket takes it now; `flush` sends the rest."""
        self._unsent += encode(message)
        self.flush()

    def flush(self) -> None:
        """Sends what is unsent, without waiting. A process that is gone is noticed when it is read from."""
        with contextlib.suppress(BlockingIOError):
            try:
                while self._unsent:
                    del self._unsent[: self.channel.send(self._unsent)]
            except (BrokenPipeError, ConnectionResetError):
                self._unsent.clear()

    def receive(self) -> list[bytes] | None:
        """The messages that have arrived; None if the process has closed its socket.

        Raises:
            BrokenMessageError: It sent something that is no message.
        """
        try:
            received = self.channel.recv(CHUNK_BYTES)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            return None
        return self._decoder.feed(received) if received else None

    def resident_bytes(self) -> int:
        """Memory that the process holds; 0 if it is gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def end(self, grace_seconds: float = 0.0) -> str:
        """Ends the process with its whole group, and reaps it.

        Args:
            grace_seconds: How long it may take to end by itself.

        Returns:
            How it ended, for people, and the last lines of its log.
        """
        self.channel.close()
        if self._process.returncode is None:
            by_itself = _wait(self.pid, grace_seconds)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # not reaped yet, so the id cannot belong to anyone else
            return_code = self._process.wait()
            self.was_killed = by_itself and -return_code in KILLING_SIGNALS
        return f"the {self.name} {_ending(self._process.returncode)}{self._log_tail()}"

    def _log_tail(self) -> str:
        with self._log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - LOG_TAIL_BYTES))
            lines = log.read().decode(errors="replace").split("\n")
        text = " | ".join(line.strip() for line in lines if line.strip())
        return f"; its log ends: {text[-LOG_TAIL_LENGTH:]}" if text else ""


def _start(
    command: Sequence[str], environment: Mapping[str, str], log_path: Path, childs_end: socket.socket
) -> tuple[subprocess.Popen[bytes], int]:
    log_path.parent.mkdir(parents=True, exist_ok=True)
    log_start = log_path.stat().st_size if log_path.exists() else 0
    if log_start > MAX_LOG_BYTES:
        log_start = 0
    with log_path.open("ab" if log_start else "wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell, no text of a user
            [*command, "--fd", str(childs_end.fileno())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[childs_end.fileno()],
            start_new_session=True,
        )
    return process, log_start


def _wait(pid: int, timeout_seconds: float) -> bool:
    """Waits until a child has ended, without reaping it; whether it has."""
    descriptor = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([descriptor], [], [], timeout_seconds)
        return bool(ended)
    finally:
        os.close(descriptor)


def _ending(return_code: int) -> str:
    if return_code >= 0:
        return f"ended with exit status {return_code}"
    try:
        name = signal.Signals(-return_code).name
    except ValueError:  # a real-time signal has no name
        name = f"signal {-return_code}"
    hint = ", perhaps by the kernel for want of memory" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"
