import pytest

from search_spaces.models import MLP, ConvNet
from tests.trials.executors.cohorts import make_cohort
from trials.executors import backends
from trials.executors.backends import backend_for

DENSE = make_cohort().model_copy(update={"model": MLP()})
CONVOLUTIONAL = make_cohort().model_copy(update={"model": ConvNet()})


@pytest.mark.parametrize("choice", ["tensorflow", "jax"])
def test_what_was_chosen_is_taken_whatever_the_model(choice: backends.BackendChoice) -> None:
    assert backend_for(choice, DENSE) == backend_for(choice, CONVOLUTIONAL) == choice


@pytest.mark.parametrize(("installed", "expected"), [(True, "jax"), (False, "tensorflow")])
def test_auto_takes_jax_for_what_it_trains_faster_where_it_is_installed(
    installed: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "has_jax", lambda: installed)

    assert backend_for("auto", CONVOLUTIONAL) == expected
    assert backend_for("auto", DENSE) == "tensorflow"
