"""From the ledger's rows to what the service answers."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from search_spaces.grids import count_grid
from search_spaces.spec import StudySpec
from service.database.queries_studies import Counts, StudyRow, TrialCounts
from service.database.queries_trials import ReplicateRow, TrialRow
from service.views import CurveView, Progress, ReplicateView, StudyState, StudyView, TrialState, TrialView
from trials.curves import CURVE_METRICS, row, unpack
from trials.protocol import Metrics

METRICS = tuple(Metrics.model_fields)
REPLICATE_FIELDS = tuple(name for name in ReplicateView.model_fields if name not in {"metrics", "curve"})
OPEN_STATES = frozenset({"queued", "running"})


def study_view(
    study: StudyRow,
    *,
    trials: TrialCounts,
    replicates: Counts,
    best: Mapping[str, float | None],
) -> StudyView:
    """A study with its progress; `best` holds the best mean of a trial by metric."""
    spec = StudySpec.model_validate(study["spec"])
    return StudyView(
        id=study["id"],
        name=study["name"],
        state=cast("StudyState", study["state"]),
        tags=list(spec.tags),
        protocol=spec.evaluation.protocol,
        progress=_progress(study, spec, trials, replicates),
        best_validation=best.get(spec.objective.metric),
        notes=study["notes"],
        priority=study["priority"],
        reason=study["reason"],
        spec=study["spec"],
        version=study["version"],
        created_at=_moment(study["created_at"]),
        started_at=_moment_or_none(study["started_at"]),
        finished_at=_moment_or_none(study["finished_at"]),
    )


def _progress(study: StudyRow, spec: StudySpec, trials: TrialCounts, replicates: Counts) -> Progress:
    total = sum(count for count, _ in trials.values())
    if not study["planned"]:
        total = (trials_in_budget(spec) or 0) + sum(n_enqueued for _, n_enqueued in trials.values())
    n_open = sum(count for state, (count, _) in replicates.items() if state in OPEN_STATES)
    n_planned = sum(count for count, _ in replicates.values())
    n_unplanned = max(total * spec.budget.replicates - n_planned, 0)
    ended_epochs = sum(epochs for state, (_, epochs) in replicates.items() if state not in OPEN_STATES)
    return Progress(
        trials_total=total,
        trials={cast("TrialState", state): count for state, (count, _) in trials.items()},
        replicates={cast("TrialState", state): count for state, (count, _) in replicates.items()},
        epochs_done=sum(epochs for _, epochs in replicates.values()),
        epochs_total=ended_epochs + (n_open + n_unplanned) * spec.training.epochs,
    )


def trials_in_budget(spec: StudySpec) -> int | None:
    """How many trials a study plans by itself."""
    if spec.search.sampler != "grid":
        return spec.budget.trials
    total = count_grid(spec)
    return total if spec.budget.trials is None else min(total, spec.budget.trials)


def trial_view(trial: TrialRow, replicates: Sequence[ReplicateRow]) -> TrialView:
    """A trial with its replicates, and the curves of those that come with one."""
    return TrialView.model_validate(
        {
            **{name: trial[name] for name in ("number", "state", "origin", "parameters", "reason")},
            "metrics": summarize(replicates),
            "replicates": [_replicate_view(replicate) for replicate in replicates],
        }
    )


def summarize(replicates: Sequence[ReplicateRow]) -> dict[str, dict[str, float | None]]:
    """Mean, standard error and n of each metric over the complete replicates; None where too few have it."""
    summary: dict[str, dict[str, float | None]] = {}
    complete = [replicate for replicate in replicates if replicate["state"] == "complete"]
    for name in METRICS:
        values = [replicate[name] for replicate in complete if replicate[name] is not None]
        n = len(values)
        mean = math.fsum(values) / n if n else None
        error = None
        if mean is not None and n > 1:
            error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
        summary[name] = {"mean": mean, "standard_error": error, "n": n}
    return summary


def metrics_of(replicate: ReplicateRow) -> Metrics:
    """The figures of one replicate."""
    return Metrics(**{name: replicate[name] for name in METRICS})


def _replicate_view(replicate: ReplicateRow) -> dict[str, object]:
    packed = replicate.get("packed")
    return {
        **{name: replicate[name] for name in REPLICATE_FIELDS},
        "metrics": {name: replicate[name] for name in METRICS},
        "curve": None if packed is None else _curve_view(packed),
    }


def _curve_view(packed: bytes) -> CurveView:
    curve = unpack(packed)
    metrics = {
        name: [float(value) if math.isfinite(value) else None for value in row(curve, name)] for name in CURVE_METRICS
    }
    return CurveView(n_epochs=curve.shape[1], metrics=metrics)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _moment_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
