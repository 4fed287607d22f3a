"""The TensorFlow backend."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import keras
import tensorflow as tf

from trials.engine.backends.base import Backend, F, Tensor

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


class TensorFlowBackend(Backend):
    """`tf.function` with XLA."""

    name: ClassVar[str] = "tensorflow"

    def compile_program(self, function: F) -> F:
        """The function as one XLA program."""
        compiled: F = tf.function(function, jit_compile=True, autograph=False)
        return compiled

    def value_and_gradients(
        self, loss: Callable[[list[Tensor]], tuple[Tensor, Any]], variables: list[Tensor]
    ) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        """By a gradient tape."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            value, auxiliary = loss(variables)
        gradients = tape.gradient(value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return (value, auxiliary), [tf.convert_to_tensor(gradient) for gradient in gradients]  # embeddings' are sparse

    def pure_optimizer(self, kind: type[keras.optimizers.Optimizer], **options: Any) -> keras.optimizers.Optimizer:
        """The class with the base class' methods given back."""
        base = next(parent for parent in kind.__mro__ if parent.__name__ == "BaseOptimizer")
        methods = {name: getattr(base, name) for name in _BASE_METHODS if hasattr(base, name)}
        return type(kind.__name__, (kind,), methods)(**options)

    def limit_threads(self) -> None:
        """Of TensorFlow's two pools."""
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    def keep_programs(self, directory: Path) -> bool:  # noqa: ARG002  # the contract's parameter
        """TensorFlow keeps no CPU programs on disk."""
        return False

    def has_accelerator(self) -> bool:
        """Whether TensorFlow sees a GPU."""
        return bool(tf.config.list_physical_devices("GPU"))
