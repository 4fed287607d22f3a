"""What a training process has to itself: a core, or a GPU."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import distributions
from typing import Literal, TypeAlias

from trials.executors.backends import BackendChoice
from trials.executors.base import ExecutorMissingError

Device: TypeAlias = Literal["auto", "cpu", "gpu"]

VISIBLE = "CUDA_VISIBLE_DEVICES"
NO_GPU = "-1"
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Place:
    """Where a training process runs; neither a core nor a GPU means on all cores.

    Attributes:
        core: The core that it stays on.
        gpu: The GPU that it sees, as `CUDA_VISIBLE_DEVICES` names it.
    """

    core: int | None = None
    gpu: str | None = None

    def environment(self) -> dict[str, str]:
        """What shows it its GPU, or hides all."""
        return {VISIBLE: self.gpu or NO_GPU}

    def memory_limit(self, memory_bytes: int) -> int:
        """The address space that it may have; CUDA reserves more addresses than any limit would allow."""
        return memory_bytes if self.gpu is None else 0


def places_here(device: Device, backend: BackendChoice, processes_per_gpu: int) -> list[Place]:
    """The places of this machine: its GPUs, each as often as processes share it, or else its cores.

    Args:
        device: `auto` takes GPUs where there are any and the backend that is installed was built for them.
        backend: Keras' backend.
        processes_per_gpu: Processes that share one GPU.

    Raises:
        ExecutorMissingError: GPUs were asked for, and there are none.
    """
    gpus = [] if device == "cpu" or (device == "auto" and not is_built_for_gpus(backend)) else visible_gpus()
    if gpus:
        return [Place(gpu=gpu) for gpu in gpus] * processes_per_gpu
    if device == "gpu":
        msg = f"device gpu: expected an NVIDIA GPU; nvidia-smi and {VISIBLE} name none"
        raise ExecutorMissingError(msg)
    return [Place(core=core) for core in sorted(os.sched_getaffinity(0))]


def visible_gpus() -> list[str]:
    """Names of the NVIDIA GPUs that this process may use: those of `CUDA_VISIBLE_DEVICES`, else the driver's."""
    if (named := os.environ.get(VISIBLE)) is not None:
        return [name for name in named.replace(" ", "").split(",") if name not in {"", NO_GPU}]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        answer = subprocess.run(  # noqa: S603  # a fixed command, found on PATH
            [tool, "--query-gpu=uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):  # a driver that does not answer has no GPU to offer
        return []
    return answer.stdout.split()


def is_built_for_gpus(backend: BackendChoice) -> bool:
    """Whether the package of the backend that is installed can use NVIDIA GPUs; asked without importing it."""
    installed = {distribution.name.lower() for distribution in distributions()}
    if backend == "tensorflow":
        return "tensorflow-cpu" not in installed
    return any(name.startswith("jax-cuda") for name in installed)
