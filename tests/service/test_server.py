"""The served product: starts soon and small, without TensorFlow, and drains on SIGTERM."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from service.server import listen
from service.settings import Settings

MAX_START_SECONDS = 3.0
MAX_MEMORY_BYTES = 250 * 2**20
HEAVY = ("keras", "tensorflow", "jax", "optuna_dashboard", "pandas", "scipy", "statsmodels", "matplotlib", "plotly")


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    base_url: str
    announcement: str

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def served(command: str, data_dir: Path) -> Iterator[Served]:
    """Starts a command as a user would, on a free port, and ends it whatever happens."""
    arguments = [sys.executable, "-m", "service.cli", command, "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        announcement = process.stderr.readline()
        match = re.search(r"http://[0-9.:]+", announcement)
        assert match is not None, announcement + process.stderr.read()
        yield Served(process, match[0], announcement)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", ["api", "serve"])
def test_a_started_server_answers_soon_and_stays_small(tmp_path: Path, command: str) -> None:
    with served(command, tmp_path) as server:
        assert httpx.get(f"{server.base_url}/readyz", timeout=30).status_code == 200
        usage = psutil.Process(server.process.pid)
        times = usage.cpu_times()
        assert times.user + times.system < MAX_START_SECONDS, "seconds of work until the first answer"
        headers = {"authorization": f"Bearer {(tmp_path / 'token').read_text()}"}
        for path in ("/v1/studies", "/v1/presets", "/v1/openapi.json", "/ui/"):
            assert httpx.get(server.base_url + path, headers=headers, timeout=30).status_code == 200
        assert usage.memory_info().rss < MAX_MEMORY_BYTES


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    with served("serve", tmp_path) as server:
        assert httpx.get(f"{server.base_url}/livez", timeout=30).status_code == 200
        assert server.stop(number) == 0


def test_the_first_start_alone_prints_the_token(tmp_path: Path) -> None:
    with served("api", tmp_path) as server:
        token = (tmp_path / "token").read_text()
        assert server.announcement.strip().endswith(f"{server.base_url}/ui/sign-in#token={token}")
    with served("api", tmp_path) as server:
        assert token not in server.announcement
        assert str(tmp_path / "token") in server.announcement


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = [sys.executable, "-m", "service.cli", "api", "--port", port, "--data-dir", str(tmp_path)]
        ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_api_that_answered_has_imported_nothing_heavy(tmp_path: Path) -> None:
    program = f"""
import json, sys
from pathlib import Path
from starlette.testclient import TestClient
from service.app import create_app
from service.composition import compose
from service.settings import Settings
services = compose(Settings(data_dir=Path({str(tmp_path)!r})))
client = TestClient(create_app(services.settings, services), base_url="http://127.0.0.1")
client.headers["authorization"] = "Bearer " + services.token
for path in ("/readyz", "/v1/studies", "/v1/presets", "/v1/regularizers", "/v1/datasets", "/ui/"):
    assert client.get(path).status_code == 200, path
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(json.loads(ended.stdout))
    assert {"fastapi", "sqlalchemy"} <= loaded
    assert loaded.isdisjoint(HEAVY)


def test_answers_do_not_wait_for_their_headers_to_be_acknowledged() -> None:
    with listen(Settings(port=0)) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
