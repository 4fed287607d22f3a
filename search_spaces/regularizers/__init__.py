"""The table of regularizers. A new one is one file in this folder and one line here."""

from search_spaces.regularizers.augmentation import Augmentation
from search_spaces.regularizers.base import RegularizerSpec
from search_spaces.regularizers.dropout import Dropout
from search_spaces.regularizers.early_stopping import EarlyStopping
from search_spaces.regularizers.l1 import L1
from search_spaces.regularizers.l2 import L2
from search_spaces.regularizers.recurrent_dropout import RecurrentDropout

REGULARIZERS: dict[str, type[RegularizerSpec]] = {
    "dropout": Dropout,
    "recurrent_dropout": RecurrentDropout,
    "l1": L1,
    "l2": L2,
    "augmentation": Augmentation,
    "early_stopping": EarlyStopping,
}

__all__ = [
    "L1",
    "L2",
    "REGULARIZERS",
    "Augmentation",
    "Dropout",
    "EarlyStopping",
    "RecurrentDropout",
    "RegularizerSpec",
]
