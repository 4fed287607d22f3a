"""Replicates to effects: the numbers a user comes for."""

from service.effects.best import picks
from service.effects.differences import adjusted, differences_from_reference
from service.effects.dose_response import level_effects
from service.effects.frame import Measured, measure_of, measured
from service.effects.interactions import interactions
from service.effects.levels import levels_of
from service.effects.noise_floor import noise_floor
from service.effects.patience import patience_curve
from service.effects.records import StudyRecord
from service.effects.verdicts import effect_of
from service.effects.view import Effects, StudySummary

AS_PUBLISHED_WARNING = (
    "As published: the test set doubles as validation, so the data that selected also report. "
    "The accuracies below flatter whatever was selected."
)


def estimate(record: StudyRecord) -> Effects:
    """Estimates everything the finished replicates of a study say about its regularizers.

    A study that is still running is estimated from what it has; a study without any complete replicate has empty
    levels and no best trial.
    """
    data = measured(record)
    levels = {name: levels_of(name, data) for name, _ in record.spec.regularizers.items()}
    differences = adjusted([differences_from_reference(one) for one in levels.values()])
    effects = [
        effect_of(one, level_effects(one, found)) for one, found in zip(levels.values(), differences, strict=True)
    ]
    picked = picks(data, levels.values())
    asked = record.spec.patience
    return Effects(
        study=_summary(record, data),
        noise_floor=noise_floor(data, levels),
        regularizers=effects,
        interactions=interactions(list(levels.values())),
        patience=[] if asked is None else patience_curve(asked, levels["early_stopping"], record.curves, record.spec),
        importance=[],
        best=picked.best,
        one_standard_error_pick=picked.one_standard_error,
    )


def _summary(record: StudyRecord, data: Measured) -> StudySummary:
    protocol = record.spec.evaluation.protocol
    return StudySummary(
        id=record.study_id,
        name=record.name,
        protocol=protocol,
        replicates=len(data.rows),
        trials=len(data.points),
        seeds=int(data.rows["seed"].nunique()),
        measure=measure_of(record.spec),
        warning=AS_PUBLISHED_WARNING if protocol == "as_published" else None,
    )
