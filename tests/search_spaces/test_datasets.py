from typing import Any

import pytest
from pydantic import TypeAdapter

from search_spaces.datasets import SHAPES, CirclesRef, ClassificationRef, DatasetRef, ImdbRef, NamedRef, shape_of

ADAPTER: TypeAdapter[DatasetRef] = TypeAdapter(DatasetRef)


@pytest.mark.parametrize(
    ("written", "ref"),
    [
        ("circles", CirclesRef()),
        ("classification", ClassificationRef()),
        ("imdb", ImdbRef()),
        ("wine", NamedRef(name="wine")),
        ("mine", NamedRef(name="mine")),
        ({"name": "imdb", "length": 80}, ImdbRef(length=80)),
    ],
    ids=str,
)
def test_a_reference_is_told_by_its_name(written: Any, ref: DatasetRef) -> None:
    assert ADAPTER.validate_python(written) == ref
    assert ADAPTER.validate_json(ADAPTER.dump_json(ref)) == ref


def test_a_shape_follows_the_options() -> None:
    assert shape_of(ClassificationRef(n_features=12, n_classes=3)) == ((12,), 3)
    assert shape_of(ImdbRef(length=80)) == ((80,), 2)


def test_the_shape_of_a_file_is_not_known_here() -> None:
    assert shape_of(NamedRef(name="mine")) is None


@pytest.mark.parametrize("name", SHAPES)
def test_without_options_the_shape_is_that_of_the_table(name: str) -> None:
    assert shape_of(ADAPTER.validate_python(name)) == SHAPES[name]


def test_circles_are_still_the_tutorials() -> None:
    assert CirclesRef().model_dump() == {
        "name": "circles",
        "n_samples": 100,
        "noise": 0.1,
        "random_state": 1,
        "n_train": 30,
        "n_fresh": 2000,
    }
