"""What differs between Keras' backends: gradients, compilation and optimizers as pure functions.

Everything else of the engine is written in `keras.ops`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import keras
import tensorflow as tf

from trials.engine.random_bits import Tensor

F = TypeVar("F", bound=Callable[..., Any])

# Keras' TensorFlow optimizers go through tf.distribute and so cannot be applied as a pure function. The base class can:
# these are the methods that the TensorFlow class replaced.
_BASE_METHODS = (
    "stateless_apply",
    "assign",
    "assign_add",
    "assign_sub",
    "_var_key",
    "_apply_weight_decay",
    "_backend_update_step",
    "_overwrite_model_variables_with_average_value",
)


def compile_program(function: F) -> F:
    """The function as one XLA program."""
    compiled: F = tf.function(function, jit_compile=True, autograph=False)
    return compiled


def value_and_gradients(
    loss: Callable[[list[Tensor]], tuple[Tensor, Any]], variables: list[Tensor]
) -> tuple[tuple[Tensor, Any], list[Tensor]]:
    """The loss at these variables with its auxiliary output, and its gradients."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        value, auxiliary = loss(variables)
    return (value, auxiliary), tape.gradient(value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def pure_optimizer(kind: type[keras.optimizers.Optimizer], **options: Any) -> keras.optimizers.Optimizer:
    """A Keras optimizer of this class that offers `stateless_apply`."""
    base = next(parent for parent in kind.__mro__ if parent.__name__ == "BaseOptimizer")
    methods = {name: getattr(base, name) for name in _BASE_METHODS if hasattr(base, name)}
    return type(kind.__name__, (kind,), methods)(**options)


def limit_threads() -> None:
    """One thread: a training process has one core, and small matrices lose time to a second thread."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
