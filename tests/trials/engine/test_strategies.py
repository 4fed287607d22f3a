import numpy as np
import pytest

from tests.trials.engine.cohorts import cohort, digits, drive, lane, mlp
from trials.engine import training_program
from trials.engine.backends import current_backend
from trials.engine.strategies import choose
from trials.engine.strategies.lane_major import LaneMajor
from trials.engine.strategies.vectorised import Vectorised
from trials.protocol import Cohort

VECTORISES = current_backend().can_vectorise


def unlike_lanes() -> Cohort:
    lanes = [lane(0, 1, dropout_rate=0.0, l2_factor=0.01), lane(1, 2, dropout_rate=0.4), lane(2, 1, dropout_rate=0.2)]
    return cohort(lanes, epochs=4, grafts=("dropout", "l2"))


def test_lanes_train_one_after_the_other_on_a_cpu() -> None:
    assert isinstance(choose(current_backend()), LaneMajor)


@pytest.mark.skipif(not VECTORISES, reason="only JAX vectorises loops")
def test_lanes_side_by_side_give_the_curves_of_lanes_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    in_turn = drive(unlike_lanes(), digits(), mlp(16))
    training_program._programs.clear()
    monkeypatch.setattr(training_program, "choose", lambda _: Vectorised())
    monkeypatch.setattr(training_program, "lanes_at_once", lambda _, free, probe: 4 if probe(2) > 0 < free else 0)

    side_by_side = drive(unlike_lanes(), digits(), mlp(16))
    training_program._programs.clear()

    assert side_by_side.reports[0].trained_by.startswith("vectorised")
    assert len(side_by_side.reports[0].lanes) == 3
    for i in range(3):
        np.testing.assert_allclose(side_by_side.curves[i], in_turn.curves[i], rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(VECTORISES, reason="this backend vectorises")
def test_a_backend_that_cannot_vectorise_says_so() -> None:
    with pytest.raises(NotImplementedError, match="tensorflow cannot vectorise loops"):
        current_backend().vectorise(abs)
