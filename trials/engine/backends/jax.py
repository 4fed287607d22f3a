"""The JAX backend."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import keras
import numpy.typing as npt
import psutil

from trials.engine.backends.base import Backend, F, Tensor


class JaxBackend(Backend):
    """`jax.jit`."""

    name: ClassVar[str] = "jax"
    refusals: ClassVar[tuple[type[Exception], ...]] = (*Backend.refusals, jax.errors.JaxRuntimeError)

    def compile_program(self, function: F) -> F:
        """The function, jitted."""
        compiled: F = jax.jit(function)
        return compiled

    def value_and_gradients(
        self, loss: Callable[[list[Tensor]], tuple[Tensor, Any]], variables: list[Tensor]
    ) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        """By `jax.value_and_grad`."""
        result: tuple[tuple[Tensor, Any], list[Tensor]] = jax.value_and_grad(loss, has_aux=True)(variables)
        return result

    def with_gradient(
        self,
        forward: Callable[[list[Tensor], list[Tensor]], tuple[Tensor, list[Tensor]]],
        backward: Callable[[list[Tensor], list[Tensor], list[Tensor], Tensor], list[Tensor]],
        inputs: list[Tensor],
        constants: list[Tensor],
    ) -> Tensor:
        """By `jax.custom_vjp`."""

        @jax.custom_vjp  # type: ignore[untyped-decorator]  # seen so where gradients are typed as Any
        def call(inputs: list[Tensor], constants: list[Tensor]) -> Tensor:
            return forward(inputs, constants)[0]

        def call_and_keep(inputs: list[Tensor], constants: list[Tensor]) -> tuple[Tensor, Any]:
            output, kept = forward(inputs, constants)
            return output, (inputs, constants, kept)

        def gradients(kept: Any, gradient: Tensor) -> tuple[list[Tensor], None]:
            inputs, constants, saved = kept
            return backward(inputs, constants, saved, gradient), None

        call.defvjp(call_and_keep, gradients)
        return call(inputs, constants)

    def pure_optimizer(self, kind: type[keras.optimizers.Optimizer], **options: Any) -> keras.optimizers.Optimizer:
        """The class itself: Keras' optimizers are pure on JAX."""
        return kind(**options)

    def take_rows(self, x: Tensor, rows: Tensor) -> Tensor:
        """By a gather without the bounds check of `jnp.take`."""
        return x.at[rows].get(mode="promise_in_bounds")

    @property
    def can_vectorise(self) -> bool:
        """It does."""
        return True

    def vectorise(self, function: F) -> F:
        """By `jax.vmap`."""
        mapped: F = jax.vmap(function)
        return mapped

    def temporary_bytes(self, function: F, *arguments: Any) -> int:
        """By XLA's own analysis of the compiled program."""
        analysis = jax.jit(function).lower(*arguments).compile().memory_analysis()
        return int(analysis.temp_size_in_bytes)

    def free_bytes(self) -> int:
        """What the device's allocator may still take; of a CPU the machine's free memory."""
        statistics = jax.devices()[0].memory_stats()
        if statistics is None or "bytes_limit" not in statistics:
            return int(psutil.virtual_memory().available)
        return int(statistics["bytes_limit"] - statistics["bytes_in_use"])

    def adopt(self, array: npt.NDArray[Any]) -> Tensor:
        """Through DLPack; tied to the device either way, as that is part of a program and of its name on disk."""
        if self.can_share(array):
            return jax.numpy.from_dlpack(array, copy=False)
        return jax.device_put(array, jax.devices()[0])

    def limit_threads(self) -> None:
        """Nothing to do: XLA takes as many threads as the process has cores, and a training process has one."""

    def has_accelerator(self) -> bool:
        """Whether JAX' default device is not a CPU."""
        return bool(jax.default_backend() != "cpu")
