"""What fast forms have in common."""

from typing import Any

import keras


class FastForm(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer that computes what another one does, with that one's weights.

    Args:
        inner: The layer that it stands for.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(name=f"{inner.name}_fast", dtype=inner.dtype_policy)
        self.inner = inner
        self.built = True

    @property
    def kernel(self) -> Any:
        """The inner layer's kernel; None where it has none of that name."""
        return getattr(self.inner, "kernel", None)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The inner layer's."""
        shape: tuple[int | None, ...] = self.inner.compute_output_shape(input_shape)
        return shape
