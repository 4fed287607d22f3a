"""What is the accuracy at each level of a regularizer?"""

from service.effects.frame import ACCURACIES
from service.effects.intervals import interval_over_seeds
from service.effects.levels import Levels
from service.effects.view import Difference, LevelEffect, MeanInterval

NOTHING = MeanInterval()


def level_effects(levels: Levels, differences: dict[int, Difference]) -> list[LevelEffect]:
    """Each level with its accuracies and its difference from the reference."""
    rows = levels.rows
    accuracies = {measure: interval_over_seeds(rows, "level", measure) for measure in ACCURACIES}
    groups = rows.groupby("level")
    n, n_seeds, n_trials = groups.size(), groups["seed"].nunique(), groups["trial"].nunique()
    return [
        LevelEffect(
            value=level.value,
            label=level.label,
            is_off=level.is_off,
            is_reference=index == levels.reference,
            bin_low=level.low,
            bin_high=level.high,
            n=int(n[index]),
            n_seeds=int(n_seeds[index]),
            n_trials=int(n_trials[index]),
            train_accuracy=accuracies["train_accuracy"].get(index, NOTHING),
            validation_accuracy=accuracies["validation_accuracy"].get(index, NOTHING),
            test_accuracy=accuracies["test_accuracy"].get(index, NOTHING),
            difference_from_off=differences.get(index),
        )
        for index, level in enumerate(levels.levels)
    ]
