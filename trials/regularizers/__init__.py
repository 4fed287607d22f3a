"""How regularizers take part in training. A new one is one file in this folder and one line here."""

from search_spaces.values import Point
from trials.regularizers.alpha_dropout import AlphaDropoutTreatment
from trials.regularizers.augmentation import AugmentationTreatment
from trials.regularizers.base import Knobs, Treatment
from trials.regularizers.batch_norm import BatchNormTreatment
from trials.regularizers.cutmix import CutMixTreatment
from trials.regularizers.dropout import DropoutTreatment
from trials.regularizers.ema import EMATreatment
from trials.regularizers.gaussian_dropout import GaussianDropoutTreatment
from trials.regularizers.gaussian_noise import GaussianNoiseTreatment
from trials.regularizers.input_dropout import InputDropoutTreatment
from trials.regularizers.l1 import L1Treatment
from trials.regularizers.l2 import L2Treatment
from trials.regularizers.label_smoothing import LabelSmoothingTreatment
from trials.regularizers.max_norm import MaxNormTreatment
from trials.regularizers.mixup import MixUpTreatment
from trials.regularizers.monte_carlo_dropout import MonteCarloDropoutTreatment
from trials.regularizers.recurrent_dropout import RecurrentDropoutTreatment
from trials.regularizers.spatial_dropout import SpatialDropoutTreatment
from trials.regularizers.stochastic_depth import StochasticDepthTreatment
from trials.regularizers.weight_decay import WeightDecayTreatment

__all__ = ["TREATMENTS", "Knobs", "Treatment", "treatments"]

TREATMENTS: dict[str, type[Treatment]] = {
    kind.name: kind
    for kind in (
        BatchNormTreatment,
        SpatialDropoutTreatment,
        DropoutTreatment,
        AlphaDropoutTreatment,
        GaussianDropoutTreatment,
        GaussianNoiseTreatment,
        InputDropoutTreatment,
        RecurrentDropoutTreatment,
        StochasticDepthTreatment,
        MonteCarloDropoutTreatment,
        L1Treatment,
        L2Treatment,
        WeightDecayTreatment,
        MaxNormTreatment,
        AugmentationTreatment,
        CutMixTreatment,
        MixUpTreatment,
        LabelSmoothingTreatment,
        EMATreatment,
    )
}
"""Every regularizer but early stopping, which reads curves. The order is that in which they are put into a model and
change a batch."""


def treatments(names: tuple[str, ...], structure: Point) -> tuple[Treatment, ...]:
    """The treatments of a cohort, in the table's order.

    Args:
        names: Regularizers that the program has a place for.
        structure: The structural knobs of the cohort.
    """
    return tuple(kind(structure) for name, kind in TREATMENTS.items() if name in names)
