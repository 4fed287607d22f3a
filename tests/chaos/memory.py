"""How much memory a process needs, whatever of it the system has put elsewhere meanwhile."""

from pathlib import Path

COUNTED = ("Anonymous:", "Swap:")
"""What a process has allocated; pages of files are left out, as the system drops and reads them as it pleases."""


def allocated_bytes(pid: int) -> int:
    """Memory that a process has allocated and touched, resident or swapped out."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(COUNTED))
