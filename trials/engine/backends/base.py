"""The contract of a backend."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar

import keras

F = TypeVar("F", bound=Callable[..., Any])

Tensor: TypeAlias = Any


class Backend(ABC):
    """Gradients, compilation and optimizers as pure functions."""

    name: ClassVar[str]

    @abstractmethod
    def compile_program(self, function: F) -> F:
        """The function as one XLA program; compiled at its first call with arguments of new shapes."""

    @abstractmethod
    def value_and_gradients(
        self, loss: Callable[[list[Tensor]], tuple[Tensor, Any]], variables: list[Tensor]
    ) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        """The loss at these variables with its auxiliary output, and its gradients; 0 for what it does not use."""

    @abstractmethod
    def pure_optimizer(self, kind: type[keras.optimizers.Optimizer], **options: Any) -> keras.optimizers.Optimizer:
        """A Keras optimizer of this class that offers `stateless_apply`."""

    @abstractmethod
    def limit_threads(self) -> None:
        """One thread: a training process has one core, and small matrices lose time to a second thread."""

    @abstractmethod
    def keep_programs(self, directory: Path) -> bool:
        """Keeps compiled programs on disk for later processes; False where the backend cannot."""

    @abstractmethod
    def has_accelerator(self) -> bool:
        """Whether programs run on something else than a CPU."""
