"""The table of promises: what tests reached of each, printed at the end of a run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

IS_LONG = os.environ.get("REGTUNE_CHAOS") == "long"
"""The long form is `make chaos`; the short one runs with all tests."""

SEED = int(os.environ.get("REGTUNE_CHAOS_SEED", "20250801"))

TARGETS = {
    "R1": "0 of >= 10,000 acknowledged writes lost",
    "R2": "50 of 50 budgets exact",
    "R3": "0 double, >= 15 stale writes refused",
    "R4": "0 left running; requeued within lease + 5 s",
    "R5": "0 missing, 0 duplicate on 20 grids of 24",
    "R6": "0 failed in 8 restarts; only 503 + Retry-After; ready <= 5 s",
    "R7": "0 half studies, 0 orphan files in 20 kills",
    "R8": "50 of 50 exit 0 <= 30 s, nothing charged",
    "R9": "<= 1 segment repeated, metrics equal",
    "R10": "1 study of 1,000 repeats",
    "R11": "exactly one writer wins, 1,000 of 1,000",
    "R12": "0 false expiries",
    "R13": "0 lost; converged <= lease + 10 s",
    "R14": "507/503; integrity ok; back <= 5 s",
    "R15": "failed with a reason after <= 3 own faults, others complete",
    "R16": "<= 10 s",
    "R17": ">= 10,000 steps, 0 differences",
    "R18": "checksums equal",
    "R19": "last committed transaction, running requeued",
    "R20": "GET p99 <= 100 ms, 0 5xx, flat",
    "R21": "fleet's memory flat within 5 %",
}

ELSEWHERE = {
    "R6": "sqlite has no server that could restart",
    "R13": "sqlite has no wire that could be cut; cuts by a proxy, not by a network namespace",
    "R14": "checkpoints: tests/trials/engine/test_checkpoints.py",
    "R16": "pause and cancel in each state: tests/contracts/test_ledger_machine.py",
}
"""Promises, or parts of them, that no test of this run records."""
if not IS_LONG:
    ELSEWHERE |= {
        "R9": "long form only; the short one: tests/trials/engine/test_checkpoints.py",
        "R14": "postgresql: long form only; checkpoints: tests/trials/engine/test_checkpoints.py",
        "R21": "long form only; the recycling of processes: tests/trials/executors/test_processes.py",
    }


@dataclass(frozen=True)
class Figure:
    """What one test reached."""

    promise: str
    where: str
    reached: str
    is_full: bool


@dataclass
class Promises:
    """What the tests of a run reached so far."""

    figures: list[Figure] = field(default_factory=list)

    def reach(self, promise: str, where: str, reached: str, *, is_full: bool = False) -> None:
        """Notes a figure; its test must have asserted that it is a good one.

        Args:
            promise: `R1` to `R21`.
            where: The kind of database, or `both`.
            reached: The figure.
            is_full: Whether as many faults were tried as the target asks for; the short form tries fewer.
        """
        assert promise in TARGETS
        self.figures.append(Figure(promise, where, reached, is_full))

    def lines(self) -> Iterator[str]:
        """The table."""
        for promise, target in TARGETS.items():
            found = [figure for figure in self.figures if figure.promise == promise]
            for figure in found:
                kept = "kept" if figure.is_full else "kept (fewer faults than the target)"
                yield f"{promise:4} {figure.where:10} {kept}: {figure.reached}   [target: {target}]"
            if not found or promise in ELSEWHERE:
                yield f"{promise:4} {'':10} {ELSEWHERE.get(promise, 'not recorded in this run')}   [target: {target}]"


PROMISES = Promises()


@pytest.fixture
def promises() -> Promises:
    """Where a test notes the figure that it reached."""
    return PROMISES
