"""Which of Keras' backends trains a cohort; decided where it is trained, without importing either."""

from importlib.util import find_spec
from typing import Literal, TypeAlias

from trials.protocol import Cohort

BackendChoice: TypeAlias = Literal["auto", "tensorflow", "jax"]

FASTER_ON_JAX = frozenset({"convnet", "recurrent"})
"""Model families that JAX' XLA trains clearly faster than TensorFlow's (docs/performance.md)."""


def backend_for(choice: BackendChoice, cohort: Cohort) -> str:
    """Keras' name of the backend: what was chosen, or by model family where JAX is installed, else TensorFlow."""
    if choice != "auto":
        return choice
    return "jax" if cohort.model.family in FASTER_ON_JAX and has_jax() else "tensorflow"


def has_jax() -> bool:
    """Whether JAX is installed."""
    return find_spec("jax") is not None
