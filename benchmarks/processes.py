"""Who took how much of the processor."""

from collections.abc import Iterable

import psutil


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor seconds that these processes have taken so far."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(taken.user + taken.system for taken in times))


def busy_seconds() -> float:
    """Processor seconds that the whole machine has taken so far."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
