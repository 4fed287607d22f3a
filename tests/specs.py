"""Small studies for tests of what surrounds training."""

from typing import Any

from search_spaces.spec import StudySpec


def small_grid(**parts: Any) -> StudySpec:
    """Four dropout rates, two replicates, eight epochs."""
    return StudySpec.model_validate(
        {
            "name": "grid",
            "dataset": "circles",
            "model": {"family": "mlp", "hidden_units": [8]},
            "regularizers": {"dropout": {"rate": {"grid": [0.0, 0.2, 0.4, 0.6]}}},
            "training": {"epochs": 8},
            "search": {"sampler": "grid"},
            "budget": {"replicates": 2},
            **parts,
        }
    )


def small_search(sampler: str = "tpe", trials: int = 20, *, replicates: int = 1, **parts: Any) -> StudySpec:
    """Dropout and an optional L2 factor, drawn by a sampler."""
    return StudySpec.model_validate(
        {
            "name": "search",
            "dataset": "circles",
            "model": {"family": "mlp", "hidden_units": [8]},
            "regularizers": {
                "dropout": {"rate": {"low": 0.0, "high": 0.9}},
                "l2": {"factor": {"low": 1e-6, "high": 1e-1, "log": True}, "optional": True},
            },
            "training": {"epochs": 8},
            "search": {"sampler": sampler},
            "budget": {"trials": trials, "replicates": replicates},
            **parts,
        }
    )
