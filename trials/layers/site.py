"""A place in a model that waits for a regularizer."""

from typing import Any

import keras


class Site(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """The identity, where a model's author wants one of the study's regularizers to act.

    A model with sites for a regularizer has it there and nowhere else; without any, grafting finds the places itself.

    Args:
        regularizer: Name of the regularizer that goes here.
    """

    def __init__(self, regularizer: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.regularizer = regularizer
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape
