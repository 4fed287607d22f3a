"""How many lanes a program has slots for."""

from collections.abc import Callable

MAX_IN_TURN = 8
"""Lanes one after the other: more per call would only delay reports."""

MAX_AT_ONCE = 64
"""Lanes side by side."""

STATE_BYTES = 256 * 2**20
"""Upper bound of the states of lanes that train one after the other."""

MEMORY_SHARE = 0.8
"""Of the free memory, what lanes side by side may take."""


def lanes_in_turn(state_bytes: int) -> int:
    """Slots of a program that trains lanes one after the other; they take turns in the same temporary memory.

    Args:
        state_bytes: Weights and optimizer variables of one lane.
    """
    return max(1, min(MAX_IN_TURN, STATE_BYTES // max(1, state_bytes)))


def lanes_at_once(state_bytes: int, free_bytes: int, temporary_bytes: Callable[[int], int]) -> int:
    """Slots of a program that trains lanes side by side: as many as fit, found by a probe of two small programs.

    Args:
        state_bytes: Weights and optimizer variables of one lane.
        free_bytes: Memory of the device that is free.
        temporary_bytes: Probe: temporary memory of a program with so many slots.
    """
    one, two = temporary_bytes(1), temporary_bytes(2)
    shared, each = max(0, 2 * one - two), max(1, two - one)
    room = free_bytes * MEMORY_SHARE - shared
    return int(max(1, min(MAX_AT_ONCE, room // (each + 2 * state_bytes))))
