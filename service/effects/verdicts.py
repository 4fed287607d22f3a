"""Helps, hurts or not separable from noise: the verdict on a regularizer, and the sentence that says it."""

from service.effects.levels import Levels
from service.effects.view import Difference, LevelEffect, RegularizerEffect, Verdict
from service.effects.wording import counted, points, signed_points, title

SIGNIFICANCE = 0.05


def effect_of(levels: Levels, effects: list[LevelEffect]) -> RegularizerEffect:
    """The regularizer with its verdict.

    The level with the best validation difference is picked (test data select nothing). The regularizer helps if the
    picked level's test difference is above 0 with Holm p < 0.05. It hurts if no level is significantly better and
    some level is significantly worse. Otherwise it is not separable from noise.
    """
    picked = _picked(effects)
    verdict = _verdict(effects, picked)
    reference = None if levels.reference is None else _name_of(levels, effects[levels.reference])
    return RegularizerEffect(
        name=levels.name,
        knob=levels.knob,
        kind=levels.kind,
        log_scale=levels.log_scale,
        reference=reference,
        picked=picked.label if picked else None,
        levels=effects,
        verdict=verdict,
        sentence=_sentence(levels, effects, picked, verdict),
    )


def significance(difference: Difference | None) -> int:
    """1 for significantly better than the reference, -1 for worse, 0 for neither."""
    if difference is None or difference.p_value_holm is None or difference.p_value_holm >= SIGNIFICANCE:
        return 0
    return 1 if difference.mean > 0 else -1


def _picked(effects: list[LevelEffect]) -> LevelEffect | None:
    candidates = [
        (effect.difference_from_off.validation_mean, effect)
        for effect in effects
        if effect.difference_from_off is not None and effect.difference_from_off.validation_mean is not None
    ]
    return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def _verdict(effects: list[LevelEffect], picked: LevelEffect | None) -> Verdict:
    if picked is not None and significance(picked.difference_from_off) > 0:
        return "helps"
    signs = {significance(effect.difference_from_off) for effect in effects}
    return "hurts" if -1 in signs and 1 not in signs else "not separable"


def _sentence(levels: Levels, effects: list[LevelEffect], picked: LevelEffect | None, verdict: Verdict) -> str:
    name = title(levels.name)
    compared = [(e.difference_from_off.mean, e) for e in effects if e.difference_from_off is not None]
    if not effects:
        return f"{name} is not separable from noise: no replicate is complete yet."
    if levels.reference is None:
        return f'{name} is not separable from noise: the study has no "off" to compare it with.'
    if not compared:
        return f"{name} is not separable from noise: nothing has been measured beside {effects[0].label} yet."
    worse = [pair for pair in compared if significance(pair[1].difference_from_off) < 0]
    worst = min(worse or compared, key=lambda pair: pair[0])[1]
    shown = worst if verdict == "hurts" or picked is None else picked
    against = "" if effects[levels.reference].is_off else f", against {_name_of(levels, effects[levels.reference])},"
    said = f"{name} {'is not separable from noise' if verdict == 'not separable' else verdict}:"
    said = f"{said} {_at(levels, shown)}{against} test {levels.measure} {_change(shown, verdict)} {_evidence(shown)}"
    if worse and worst is not shown:
        said += f"; {_name_of(levels, worst)} costs {points(min(worse, key=lambda pair: pair[0])[0])} points"
    return f"{said}."


def _name_of(levels: Levels, effect: LevelEffect) -> str:
    return effect.label if effect.is_off else f"{levels.knob} {effect.label}"


def _at(levels: Levels, effect: LevelEffect) -> str:
    return f"at {levels.knob} {effect.label}"


def _change(effect: LevelEffect, verdict: Verdict) -> str:
    difference = effect.difference_from_off
    mean = difference.mean if difference else 0.0
    if verdict == "not separable":
        return f"differs by {signed_points(mean)} points"
    return f"{'rises' if mean > 0 else 'falls'} by {points(mean)} points"


def _evidence(effect: LevelEffect) -> str:
    difference = effect.difference_from_off
    if difference is None:
        return ""
    if difference.paired:
        size = counted(difference.n_seeds, "seed")
    else:
        size = f"{counted(difference.n_pairs, 'trial')} against {difference.n_reference:,}, not paired"
    if difference.low is None or difference.high is None:
        return f"({size}: too few for an interval)" if difference.p_value is None else f"(the same for all of {size})"
    falls = difference.mean < 0 and significance(difference) < 0
    low, high = (-difference.high, -difference.low) if falls else (difference.low, difference.high)
    return f"(95 % {_plain(low)} to {_plain(high)}, {size})"


def _plain(fraction: float) -> str:
    return signed_points(fraction).removeprefix("+")
