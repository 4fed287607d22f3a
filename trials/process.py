"""The training process: receives cohorts over a socket, trains them one after the other, streams reports.

Started by `trials.executors.processes` as `python -m trials.process`. It ends at once when the other end of its socket
closes, whatever it is doing then.
"""

import argparse
import os
import queue
import resource
import socket
import sys
import threading
import traceback
from pathlib import Path

from trials.executors.steps import Train, advance, training_function
from trials.executors.wire import REQUESTS, Decoder, encode
from trials.protocol import Cohort, Event, SegmentReport, Verdicts

CHUNK_BYTES = 2**16
NICENESS = 5


def main() -> None:
    """Runs until the other end of the socket closes."""
    arguments = _parse()
    limit_resources(arguments.memory_bytes, arguments.core)
    connection = Connection(socket.socket(fileno=arguments.fd))
    serve(connection, training_function(arguments.train), arguments.datasets_dir)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trials.process", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="inherited socket")
    parser.add_argument("--train", required=True, help="training function, module:function")
    parser.add_argument("--datasets-dir", type=Path, required=True)
    parser.add_argument("--memory-bytes", type=int, default=0, help="limit of the address space; 0 for none")
    parser.add_argument("--core", type=int, help="the core to stay on")
    return parser.parse_args()


def limit_resources(memory_bytes: int, core: int | None) -> None:
    """Sets the limits; before anything large is imported, since libraries size their thread pools by them.

    Training yields to everything else on the machine, so that the service answers beside it.
    """
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if core is not None:
        os.sched_setaffinity(0, {core})


class Connection:
    """The child's end of the socket. A thread reads it, so that its closing is noticed in mid-training."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._cohorts: queue.SimpleQueue[Cohort] = queue.SimpleQueue()
        self._verdicts: queue.SimpleQueue[Verdicts] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="reader", daemon=True).start()

    def next_cohort(self) -> Cohort:
        """Waits for the next cohort."""
        return self._cohorts.get()

    def verdicts(self, cohort_id: str) -> Verdicts:
        """Waits for the answer to this cohort's report."""
        while (answer := self._verdicts.get()).cohort_id != cohort_id:
            pass
        return answer

    def send(self, event: Event) -> None:
        """Sends an event; ends the process if nobody is there to read it."""
        try:
            self._channel.sendall(encode(event))
        except OSError:
            os._exit(0)

    def _read(self) -> None:
        status = 0
        try:
            self._read_messages()
        except Exception:  # noqa: BLE001 - the outermost loop of this thread, and the process ends with it
            traceback.print_exc()
            status = 1
        sys.stderr.flush()
        os._exit(status)

    def _read_messages(self) -> None:
        decoder = Decoder()
        while received := self._channel.recv(CHUNK_BYTES):
            for body in decoder.feed(received):
                message = REQUESTS.validate_json(body)
                if isinstance(message, Cohort):
                    self._cohorts.put(message)
                else:
                    self._verdicts.put(message)


def serve(connection: Connection, train: Train, datasets_dir: Path) -> None:
    """Trains cohort after cohort, for ever."""
    while True:
        cohort = connection.next_cohort()
        steps = train(cohort, datasets_dir)
        event = advance(cohort.cohort_id, steps, None)
        while isinstance(event, SegmentReport):
            connection.send(event)
            event = advance(cohort.cohort_id, steps, connection.verdicts(cohort.cohort_id))
        connection.send(event)


if __name__ == "__main__":
    main()
