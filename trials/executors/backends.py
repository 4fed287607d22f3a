"""Which of Keras' backends trains; asked without importing either."""

from importlib.util import find_spec
from typing import Literal, TypeAlias

BackendChoice: TypeAlias = Literal["tensorflow", "jax"]


def has_jax() -> bool:
    """Whether JAX is installed."""
    return find_spec("jax") is not None
