"""The contract of a backend."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeVar

import keras
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., Any])

Tensor: TypeAlias = Any

ALIGNMENT_BYTES = 64


@dataclass(frozen=True)
class Way:
    """A way to run a program.

    Attributes:
        name: For people.
        wrap: Gives the function that runs in this way.
    """

    name: str
    wrap: Callable[[Any], Any]


class Backend(ABC):
    """Gradients, compilation and optimizers as pure functions.

    Attributes:
        name: Keras' name for it.
        refusals: What is raised where a way to run a program does not suit it.
    """

    name: ClassVar[str]
    refusals: ClassVar[tuple[type[Exception], ...]] = (TypeError, ValueError, AttributeError, NotImplementedError)

    @property
    def ways(self) -> tuple[Way, ...]:
        """How a program may be run, fastest first."""
        return (Way("XLA", self.compile_program),)

    @abstractmethod
    def compile_program(self, function: F) -> F:
        """The function as one XLA program; compiled at its first call with arguments of new shapes."""

    @abstractmethod
    def value_and_gradients(
        self, loss: Callable[[list[Tensor]], tuple[Tensor, Any]], variables: list[Tensor]
    ) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        """The loss at these variables with its auxiliary output, and its gradients; 0 for what it does not use."""

    @abstractmethod
    def with_gradient(
        self,
        forward: Callable[[list[Tensor], list[Tensor]], tuple[Tensor, list[Tensor]]],
        backward: Callable[[list[Tensor], list[Tensor], list[Tensor], Tensor], list[Tensor]],
        inputs: list[Tensor],
        constants: list[Tensor],
    ) -> Tensor:
        """A function of the inputs with a gradient of its own.

        Args:
            forward: From inputs and constants to the output and what its gradient needs.
            backward: From inputs, constants, what was kept and the output's gradient to the gradients of the inputs.
            inputs: What may be differentiated by.
            constants: What may not.
        """

    @abstractmethod
    def pure_optimizer(self, kind: type[keras.optimizers.Optimizer], **options: Any) -> keras.optimizers.Optimizer:
        """A Keras optimizer of this class that offers `stateless_apply`."""

    @abstractmethod
    def take_rows(self, x: Tensor, rows: Tensor) -> Tensor:
        """`x[rows]` along the first axis; the caller promises that every row exists."""

    @property
    def can_vectorise(self) -> bool:
        """Whether `vectorise` works."""
        return False

    def vectorise(self, function: F) -> F:
        """The function over a new first axis of every argument.

        Raises:
            NotImplementedError: The backend has no such thing that takes loops.
        """
        raise NotImplementedError(f"{self.name} cannot vectorise loops")

    def temporary_bytes(self, function: F, *arguments: Any) -> int:
        """Memory that the compiled function needs beside its arguments and results; where `can_vectorise`."""
        raise NotImplementedError(f"{self.name} cannot tell what memory a program needs: {function} {len(arguments)}")

    def free_bytes(self) -> int:
        """Memory of the device that programs may take; where `can_vectorise`."""
        raise NotImplementedError(f"{self.name} cannot tell what memory is free")

    @abstractmethod
    def adopt(self, array: npt.NDArray[Any]) -> Tensor:
        """The array as a tensor that shares its memory where that is possible, and is only read."""

    def can_share(self, array: npt.NDArray[Any]) -> bool:
        """Whether an array's memory can be a tensor's: on a CPU, writeable, and aligned as XLA needs it."""
        aligned = array.ctypes.data % ALIGNMENT_BYTES == 0
        return not self.has_accelerator() and array.flags.writeable and array.flags.c_contiguous and aligned

    @abstractmethod
    def limit_threads(self) -> None:
        """One thread: a training process has one core, and small matrices lose time to a second thread."""

    @abstractmethod
    def has_accelerator(self) -> bool:
        """Whether programs run on something else than a CPU."""
