"""Optuna's samplers and pruners for a study, and drawing one point."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial

from search_spaces.grids import asked_knobs, is_excluded, is_searched
from search_spaces.ranges import distribution
from search_spaces.spec import StudySpec
from search_spaces.values import Point, Scalar

REDUCTION_FACTOR = 3
LEARNING = frozenset({"tpe"})
"""Samplers that look at earlier results."""
QMC_STRIDE = 100_000
"""Places between the draws for one point; no study has so many points."""
RUNGS = 2
"""Rungs of successive halving below the full number of epochs."""


class _JointQMCSampler(QMCSampler):
    """Draws all knobs from one sequence, those too that a point may not need.

    Optuna's own takes the search space from the first finished trial, so that points drawn before it would be random,
    and a first trial with everything off would leave nothing to draw.
    """

    def __init__(self, space: dict[str, BaseDistribution], seed: int) -> None:
        super().__init__(scramble=True, seed=seed, warn_independent_sampling=False)
        self._joint_space = space

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002 - Optuna's signature
        trial: FrozenTrial,  # noqa: ARG002 - Optuna's signature
    ) -> dict[str, BaseDistribution]:
        return self._joint_space


def _random(_spec: StudySpec, seed: int) -> BaseSampler:
    return RandomSampler(seed=seed)


def _tpe(_spec: StudySpec, seed: int) -> BaseSampler:
    return TPESampler(seed=seed, multivariate=True, group=True)


def _qmc(spec: StudySpec, _seed: int) -> BaseSampler:
    return _JointQMCSampler(_joint_space(spec), spec.seed)


SAMPLER_MAKERS: dict[str, Callable[[StudySpec, int], BaseSampler]] = {"random": _random, "qmc": _qmc, "tpe": _tpe}

PRUNER_MAKERS: dict[str, Callable[[int], BasePruner]] = {
    "none": lambda _epochs: NopPruner(),
    "median": lambda epochs: MedianPruner(n_startup_trials=5, n_warmup_steps=epochs // 10),
    "asha": lambda epochs: SuccessiveHalvingPruner(
        min_resource=max(1, epochs // REDUCTION_FACTOR**RUNGS), reduction_factor=REDUCTION_FACTOR
    ),
}


def make_sampler(spec: StudySpec, number: int, attempt: int) -> BaseSampler:
    """A sampler for one draw, seeded by the study and the arguments alone, so that a restart changes nothing."""
    seed = int(np.random.SeedSequence([spec.seed, number, attempt]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return SAMPLER_MAKERS[spec.search.sampler](spec, seed)


def sketch_point(spec: StudySpec, number: int, attempt: int) -> Point:
    """Draws a point with a sampler that learns nothing; this needs no database, and no trial that may come to nothing.

    Args:
        spec: The study.
        number: Place of the point in the study's sequence.
        attempt: Counts the draws for one place.
    """
    storage = InMemoryStorage()
    sampler = make_sampler(spec, number, attempt)
    study = optuna.create_study(storage=storage, sampler=sampler)
    if isinstance(sampler, QMCSampler):
        _go_to(spec, study, storage, number + attempt * QMC_STRIDE)
    return suggest_point(spec, study.ask())


def _go_to(spec: StudySpec, study: optuna.Study, storage: InMemoryStorage, place: int) -> None:
    """Makes the next quasi-random draw that of a place in the sequence, which Optuna counts in a system attribute."""
    suggest_point(spec, study.ask())
    study_id = storage.get_study_id_from_name(study.study_name)
    for name in storage.get_study_system_attrs(study_id):
        storage.set_study_system_attr(study_id, name, place - 1)


def make_pruner(spec: StudySpec) -> BasePruner:
    """The pruner that the study asks for; its resource is the number of epochs."""
    return PRUNER_MAKERS[spec.search.pruner](spec.training.epochs)


def suggest_point(spec: StudySpec, trial: optuna.Trial) -> Point:
    """Draws a point, knob by knob; the knobs of a regularizer that is drawn off are left out.

    A regularizer that another one excludes is off without a draw.
    """
    point: Point = {}
    for name, asked in spec.regularizers.items():
        if asked.optional:
            excluded = is_excluded(spec, name, point)
            enabled = not excluded and bool(trial.suggest_categorical(f"{name}.enabled", (False, True)))
            point[f"{name}.enabled"] = enabled
            if not enabled:
                continue
        for knob_name, knob, asked_range in asked.ranges():
            if knob_name in asked.model_fields_set:
                key = f"{name}.{knob_name}"
                fixed = () if is_searched(asked_range) else (asked_range.levels() or ())
                point[key] = fixed[0] if fixed else _suggest(trial, key, distribution(asked_range, knob))
    return point


def _suggest(trial: optuna.Trial, key: str, drawn_from: BaseDistribution) -> Scalar:
    value: Any
    if isinstance(drawn_from, FloatDistribution):
        value = trial.suggest_float(key, drawn_from.low, drawn_from.high, log=drawn_from.log, step=drawn_from.step)
    elif isinstance(drawn_from, IntDistribution):
        value = trial.suggest_int(key, drawn_from.low, drawn_from.high, log=drawn_from.log, step=drawn_from.step)
    elif isinstance(drawn_from, CategoricalDistribution):
        value = trial.suggest_categorical(key, drawn_from.choices)
    else:
        msg = f"expected a float, int or categorical distribution for {key}, received {drawn_from}"
        raise TypeError(msg)
    drawn: Scalar = value
    return drawn


def _joint_space(spec: StudySpec) -> dict[str, BaseDistribution]:
    space: dict[str, BaseDistribution] = {
        f"{name}.enabled": CategoricalDistribution((False, True))
        for name, asked in spec.regularizers.items()
        if asked.optional
    }
    for name, knob_name, knob, asked_range in asked_knobs(spec):
        if is_searched(asked_range):
            space[f"{name}.{knob_name}"] = distribution(asked_range, knob)
    return space
