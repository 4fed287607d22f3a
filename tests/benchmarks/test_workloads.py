from pathlib import Path

import numpy as np
import pytest

from benchmarks.fit_data import fit_data
from benchmarks.fit_models import MODELS, flops
from benchmarks.workloads import N_VALIDATION, WORKLOADS, cohort_of, study_of, write_data
from trials.datasets import load
from trials.models import build
from trials.preprocessing import prepare


@pytest.fixture(scope="module")
def datasets_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("datasets")
    write_data(None, folder)
    return folder


@pytest.mark.parametrize("name", WORKLOADS)
def test_fit_trains_the_engines_model_on_the_same_rows(name: str, datasets_dir: Path) -> None:
    workload, spec = WORKLOADS[name], study_of(WORKLOADS[name])
    of_engine = prepare(load(spec.dataset, datasets_dir), spec.preprocessing, spec.evaluation, spec.seed)
    of_fit = fit_data(spec, datasets_dir)

    assert len(of_fit.y_train) == len(of_engine.y_train) == workload.n_rows
    assert np.array_equal(of_fit.y_validation, of_engine.y_validation)
    assert of_fit.x_train.max() > 0.9 if name == "W1" else of_fit.x_train.max() == 1.0
    built = build(spec.model, of_engine.input_shape, of_engine.n_classes)
    assert MODELS[name](0.2).count_params() == built.count_params()


@pytest.mark.parametrize("name", WORKLOADS)
def test_each_core_gets_a_cohort_of_unlike_lanes(name: str) -> None:
    cohort = cohort_of(WORKLOADS[name], "one")

    assert len(cohort.lanes) == WORKLOADS[name].lanes_per_core
    assert len({lane.settings[f"{cohort.grafts[0]}.rate"] for lane in cohort.lanes}) == 2


def test_arithmetic_of_two_dense_layers_is_counted_by_hand() -> None:
    products = 784 * 128 + 128 * 128 + 128 * 10
    by_hand = 12_000 * 2 * (3 * products - 784 * 128) + N_VALIDATION * 2 * products

    assert flops(MODELS["W2"](0.2), 12_000, N_VALIDATION) == by_hand


def test_arithmetic_of_an_lstm_counts_every_time_step() -> None:
    inputs, state, logits = 28 * 28 * 256, 28 * 64 * 256, 640

    assert flops(MODELS["W5"](0.2), 1, 0) == 2 * (3 * (inputs + state + logits) - inputs)
