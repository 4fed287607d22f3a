"""A dataset as tensors of the backend, held once per process however many programs train on it."""

from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from trials.datasets.dataset import Dataset
from trials.engine.backends import current_backend
from trials.engine.random_bits import Tensor

Part: TypeAlias = tuple[Tensor, Tensor]
"""Examples and labels."""


class DeviceData(NamedTuple):
    """The three parts; `test` is None where it is the validation part."""

    train: Part
    validation: Part
    test: Part | None


_uploaded: WeakKeyDictionary[Dataset, DeviceData] = WeakKeyDictionary()


def upload(data: Dataset) -> DeviceData:
    """The dataset's tensors; without a copy where the backend can read the arrays themselves."""
    if data not in _uploaded:
        adopt = current_backend().adopt
        _uploaded[data] = DeviceData(
            train=(adopt(data.x_train), adopt(data.y_train)),
            validation=(adopt(data.x_validation), adopt(data.y_validation)),
            test=None if data.x_test is data.x_validation else (adopt(data.x_test), adopt(data.y_test)),
        )
    return _uploaded[data]
