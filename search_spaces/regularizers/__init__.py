"""The table of regularizers. A new one is one file in this folder and one line here."""

from search_spaces.regularizers.alpha_dropout import AlphaDropout
from search_spaces.regularizers.augmentation import Augmentation
from search_spaces.regularizers.base import RegularizerSpec
from search_spaces.regularizers.batch_norm import BatchNorm
from search_spaces.regularizers.cutmix import CutMix
from search_spaces.regularizers.dropout import Dropout
from search_spaces.regularizers.early_stopping import EarlyStopping
from search_spaces.regularizers.ema import EMA
from search_spaces.regularizers.gaussian_dropout import GaussianDropout
from search_spaces.regularizers.gaussian_noise import GaussianNoise
from search_spaces.regularizers.input_dropout import InputDropout
from search_spaces.regularizers.l1 import L1
from search_spaces.regularizers.l2 import L2
from search_spaces.regularizers.label_smoothing import LabelSmoothing
from search_spaces.regularizers.max_norm import MaxNorm
from search_spaces.regularizers.mixup import MixUp
from search_spaces.regularizers.monte_carlo_dropout import MonteCarloDropout
from search_spaces.regularizers.recurrent_dropout import RecurrentDropout
from search_spaces.regularizers.spatial_dropout import SpatialDropout
from search_spaces.regularizers.stochastic_depth import StochasticDepth
from search_spaces.regularizers.weight_decay import WeightDecay

REGULARIZERS: dict[str, type[RegularizerSpec]] = {
    "dropout": Dropout,
    "input_dropout": InputDropout,
    "spatial_dropout": SpatialDropout,
    "recurrent_dropout": RecurrentDropout,
    "gaussian_dropout": GaussianDropout,
    "gaussian_noise": GaussianNoise,
    "alpha_dropout": AlphaDropout,
    "monte_carlo_dropout": MonteCarloDropout,
    "l1": L1,
    "l2": L2,
    "weight_decay": WeightDecay,
    "max_norm": MaxNorm,
    "batch_norm": BatchNorm,
    "label_smoothing": LabelSmoothing,
    "augmentation": Augmentation,
    "mixup": MixUp,
    "cutmix": CutMix,
    "ema": EMA,
    "stochastic_depth": StochasticDepth,
    "early_stopping": EarlyStopping,
}

__all__ = [
    "EMA",
    "L1",
    "L2",
    "REGULARIZERS",
    "AlphaDropout",
    "Augmentation",
    "BatchNorm",
    "CutMix",
    "Dropout",
    "EarlyStopping",
    "GaussianDropout",
    "GaussianNoise",
    "InputDropout",
    "LabelSmoothing",
    "MaxNorm",
    "MixUp",
    "MonteCarloDropout",
    "RecurrentDropout",
    "RegularizerSpec",
    "SpatialDropout",
    "StochasticDepth",
    "WeightDecay",
]
