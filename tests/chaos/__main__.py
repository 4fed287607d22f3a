"""`python -m tests.chaos`: every promise under fire, in the long form, with the table of figures at the end."""

import argparse
import os
import random
import sys

import pytest

PROMISING = (
    "tests/chaos",
    "tests/contracts/test_ledger_machine.py",
    "tests/service/coordinator/test_poison.py",
)
"""Tests that note figures."""

LONG_ONLY = ("tests/trials/engine/test_checkpoints.py",)
"""Those that need Keras."""


def main() -> int:
    """Runs the tests; their exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the form that runs with all tests")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31), help="of the faults")  # noqa: S311 - chooses faults
    parser.add_argument("--histories", type=int, default=450, help="of the ledger's state machine, 30 steps each")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    arguments = parser.parse_args()
    os.environ["REGTUNE_CHAOS_SEED"] = str(arguments.seed)
    tests = [*PROMISING]
    if not arguments.short:
        tests += LONG_ONLY
        os.environ["REGTUNE_CHAOS"] = "long"
        os.environ["REGTUNE_LEDGER_EXAMPLES"] = str(arguments.histories)
    return int(pytest.main([*tests, "-q", f"--hypothesis-seed={arguments.seed}", *arguments.pytest]))


if __name__ == "__main__":
    sys.exit(main())
