import json
import subprocess
import sys
import time

import numpy as np

from search_spaces.values import Point
from service.effects.estimate import estimate
from service.effects.view import Effects
from tests.service.effects.studies import make_record, make_spec

CONTRACT_KEYS = {
    *("study", "noise_floor", "regularizers", "interactions", "patience"),
    *("importance", "best", "one_standard_error_pick"),
}


def test_effects_have_the_keys_of_the_contract_and_survive_json() -> None:
    record = make_record(make_spec({"dropout": {"rate": {"grid": [0.0, 0.5]}}}), lambda _, s: (1.0, 0.8, 0.7 + s / 100))
    effects = estimate(record)
    found = json.loads(effects.model_dump_json())
    level = found["regularizers"][0]["levels"][1]
    assert set(found) >= CONTRACT_KEYS
    assert set(found["study"]) >= {"id", "name", "protocol", "replicates"}
    assert set(found["regularizers"][0]) >= {"name", "knob", "levels", "verdict"}
    assert set(level) >= {"value", "n", "train_accuracy", "validation_accuracy", "test_accuracy", "difference_from_off"}
    assert set(level["difference_from_off"]) >= {"mean", "low", "high", "p_value", "probability_better"}
    assert set(found["best"]) >= {"trial", "parameters", "validation_accuracy", "test_accuracy", "selection_optimism"}
    assert set(found["one_standard_error_pick"]) >= {"trial", "parameters"}
    assert Effects.model_validate_json(effects.model_dump_json()) == effects


def test_study_counts_replicates_trials_and_seeds() -> None:
    record = make_record(make_spec({"dropout": {"rate": {"grid": [0.0, 0.5]}}}), lambda _, __: (1.0, 0.8, 0.7))
    study = estimate(record).study
    assert (study.replicates, study.trials, study.seeds, study.warning) == (10, 2, 5, None)


def test_study_as_published_carries_a_warning() -> None:
    spec = make_spec({"dropout": {"rate": 0.4}}, evaluation={"protocol": "as_published"})
    warning = estimate(make_record(spec, lambda _, __: (1.0, 0.8, 0.8))).study.warning
    assert warning is not None
    assert "test set doubles as validation" in warning


def test_ten_thousand_replicates_are_estimated_within_seconds() -> None:
    rng = np.random.default_rng(0)
    spec = make_spec(
        {"dropout": {"rate": {"low": 0.0, "high": 0.9}}, "l2": {"factor": {"low": 1e-6, "high": 0.1, "log": True}}},
        sampler="random",
    )
    points: list[Point] = [
        {"dropout.rate": float(rng.uniform(0, 0.9)), "l2.factor": float(10 ** rng.uniform(-6, -1))} for _ in range(2000)
    ]
    record = make_record(spec, lambda _, __: (1.0, 0.8, 0.7), points=points)
    started = time.monotonic()
    assert estimate(record).study.replicates == 10_000
    assert time.monotonic() - started < 5


def test_importing_the_view_loads_no_numerical_library() -> None:
    code = "import sys, service.effects.view; print([m for m in ('pandas', 'scipy', 'plotly') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
