"""Dropout in predictions too."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class MonteCarloDropout(RegularizerSpec):
    """Predicts by the mean probability over `samples` predictions, each with dropout's masks on; 0 predicts without.

    Training is untouched. Validation, test and train figures come from the averaged predictions. The masks are those of
    every dropout in the model (dropout, input, spatial, recurrent, Gaussian and alpha dropout); a model without any
    predicts as before. A replicate's `test_spread` is the mean over test examples of the standard deviation, between
    samples, of the predicted class' probability. Evaluation costs `samples` times as much.

    References:
        Gal and Ghahramani, 2016, Dropout as a Bayesian approximation: representing model uncertainty in deep learning,
        arXiv:1506.02142.
    """

    name: ClassVar[str] = "monte_carlo_dropout"
    summary: ClassVar[str] = "averages predictions over random dropout masks"

    samples: Annotated[Range, Knob(kind="int", minimum=0, maximum=200, off=0, role="structural")]
