"""The TensorFlow backend."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, cast

import keras
import numpy.typing as npt
import tensorflow as tf

from trials.engine.backends.base import Backend, F, Tensor, Way
from trials.programs import forget_programs

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
    refusals: ClassVar[tuple[type[Exception], ...]] = (
        *Backend.refusals,
        tf.errors.InvalidArgumentError,
        tf.errors.UnimplementedError,
        tf.errors.InternalError,
    )

    @property
    def ways(self) -> tuple[Way, ...]:
        """XLA; a graph; one operation after the other, from Python."""
        return (*super().ways, Way("graph", _as_graph), Way("eager", _on_tensors))

    def compile_program(self, function: F) -> F:
        """The function as one XLA program."""
        compiled = tf.function(function, jit_compile=True, autograph=False)

        @wraps(function)
        def call(*arguments: Any) -> Any:
            try:
                return compiled(*arguments)
            except (tf.errors.OutOfRangeError, tf.errors.DataLossError):
                forget_programs()  # a program on disk is cut off; the next process compiles it anew
                raise

        return cast(F, call)

    def value_and_gradients(
        self, loss: Callable[[list[Tensor]], tuple[Tensor, Any]], variables: list[Tensor]
    ) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        """By a gradient tape."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            value, auxiliary = loss(variables)
        gradients = tape.gradient(value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return (value, auxiliary), [tf.convert_to_tensor(gradient) for gradient in gradients]  # embeddings' are sparse

    def with_gradient(
        self,
        forward: Callable[[list[Tensor], list[Tensor]], tuple[Tensor, list[Tensor]]],
        backward: Callable[[list[Tensor], list[Tensor], list[Tensor], Tensor], list[Tensor]],
        inputs: list[Tensor],
        constants: list[Tensor],
    ) -> Tensor:
        """By `tf.custom_gradient`."""

        @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        def call(*inputs: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
            output, kept = forward(list(inputs), constants)
            return output, lambda gradient: backward(list(inputs), constants, kept, gradient)

        return call(*(tf.convert_to_tensor(tensor) for tensor in inputs))  # a variable would be an input unseen

    def pure_optimizer(self, kind: type[keras.optimizers.Optimizer], **options: Any) -> keras.optimizers.Optimizer:
        """The class with the base class' methods given back."""
        base = next(parent for parent in kind.__mro__ if parent.__name__ == "BaseOptimizer")
        methods = {name: getattr(base, name) for name in _BASE_METHODS if hasattr(base, name)}
        return type(kind.__name__, (kind,), methods)(**options)

    def take_rows(self, x: Tensor, rows: Tensor) -> Tensor:
        """By `tf.gather`."""
        return tf.gather(x, rows)

    def adopt(self, array: npt.NDArray[Any]) -> Tensor:
        """Through DLPack."""
        if self.can_share(array):
            return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
        return tf.convert_to_tensor(array)

    def limit_threads(self) -> None:
        """Of TensorFlow's two pools."""
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    def has_accelerator(self) -> bool:
        """Whether TensorFlow sees a GPU."""
        return bool(tf.config.list_physical_devices("GPU"))


def _as_graph(function: F) -> F:
    graph: F = tf.function(function, autograph=False)
    return graph


def _on_tensors(function: F) -> Callable[..., Any]:
    def tensor(value: Any) -> Any:
        return None if value is None else tf.convert_to_tensor(value)  # a part of the data may be absent

    return lambda *arguments: function(*tf.nest.map_structure(tensor, arguments))
