"""Ray clusters of several nodes on this machine, for tests; with token authentication, as in production."""

import importlib.util
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHUTDOWN_SECONDS = 60


class RayCluster:
    """A head node, and nodes that come and go.

    Args:
        head_cores: Cores of the head node.

    Attributes:
        address: What `--ray-address` takes.
    """

    def __init__(self, head_cores: int) -> None:
        self._nodes = subprocess.Popen(
            [sys.executable, "-m", "tests.ray_nodes", str(head_cores)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        self.address = self._answer()

    def add(self, n_cores: int) -> int:
        """A further node; its number."""
        return int(self._ask(f"add {n_cores}"))

    def kill(self, number: int) -> None:
        """Kills a node as a loss of power would."""
        self._ask(f"kill {number}")

    def kill_head(self) -> None:
        """Kills the head node."""
        self._ask("kill_head 0")

    def close(self) -> None:
        """Ends all nodes."""
        self._nodes.communicate(timeout=SHUTDOWN_SECONDS)

    def _ask(self, order: str) -> str:
        assert self._nodes.stdin is not None
        self._nodes.stdin.write(f"{order}\n")
        self._nodes.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._nodes.stdout is not None
        for line in self._nodes.stdout:
            if line.startswith("answer "):
                return line.split()[1]
        raise AssertionError("the cluster's nodes ended")


@contextmanager
def start_cluster(folder: Path, head_cores: int = 0) -> Iterator[RayCluster]:
    """A cluster with its head alone; its token is in the environment until the end of the block."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("REGTUNE_NODE_DIR", str(folder / "node"))
        patch.setenv("PYTHONPATH", str(ROOT))
        cluster = RayCluster(head_cores)
        try:
            yield cluster
        finally:
            cluster.close()


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """A cluster with two cores, for as long as the tests last; who adds nodes kills them."""
    with start_cluster(tmp_path_factory.mktemp("ray"), head_cores=2) as cluster:
        yield cluster
