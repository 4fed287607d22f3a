"""Databases and clusters that any test may ask for, and the table of promises."""

import pytest

from tests.chaos.promises import PROMISES, SEED, promises
from tests.databases import any_database, any_database_url, postgresql
from tests.ray_cluster import ray_cluster

__all__ = ["any_database", "any_database_url", "postgresql", "promises", "ray_cluster"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table, where a test noted a figure."""
    if PROMISES.figures:
        terminalreporter.section(f"promises (seed {SEED})")
        for line in PROMISES.lines():
            terminalreporter.write_line(line)
