"""Studies for storms, and waiting for them."""

import time
from collections.abc import Callable

from search_spaces.spec import StudySpec
from tests.specs import small_grid, small_search

WAIT_SECONDS = 120.0

GRID_OF_24 = small_grid(
    regularizers={
        "dropout": {"rate": {"grid": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}},
        "l2": {"factor": {"grid": [0.0, 1e-4, 1e-3, 1e-2]}},
    },
    budget={"replicates": 1},
    training={"epochs": 16},
)
SEARCH_OF_20 = small_search("random", 20, training={"epochs": 16})
TPE_OF_12 = small_search("tpe", 12, training={"epochs": 16})


def mixed(n: int, replicates: int) -> list[StudySpec]:
    """Grids and searches in turn."""
    kinds = [
        spec.model_copy(update={"budget": spec.budget.model_copy(update={"replicates": replicates})})
        for spec in (GRID_OF_24, SEARCH_OF_20, TPE_OF_12)
    ]
    return [kinds[i % len(kinds)] for i in range(n)]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> float:
    """Waits for something to come about; returns how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"waited {seconds:g} s for {what}"
        time.sleep(0.02)
    return time.monotonic() - began
