"""How lanes are laid out: one strategy per file, one explicit table, chosen by where the program runs."""

from trials.engine.backends import Backend
from trials.engine.strategies.base import Slots, Strategy
from trials.engine.strategies.lane_major import LaneMajor
from trials.engine.strategies.vectorised import Vectorised

__all__ = ["STRATEGIES", "Slots", "Strategy", "choose"]

STRATEGIES: dict[str, type[Strategy]] = {"lane-major": LaneMajor, "vectorised": Vectorised}


def choose(backend: Backend) -> Strategy:
    """Vectorised on an accelerator of a backend that can vectorise, lane-major else (docs/performance.md)."""
    if backend.has_accelerator() and backend.can_vectorise:
        return Vectorised()
    return LaneMajor()
