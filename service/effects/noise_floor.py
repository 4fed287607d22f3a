"""How much does test accuracy scatter between seeds alone, with every regularizer off?"""

from search_spaces.grids import is_off
from service.effects.frame import Measured, measure_of
from service.effects.levels import Levels
from service.effects.view import MeanDeviation, NoiseFloor


def noise_floor(data: Measured, levels: dict[str, Levels]) -> NoiseFloor | None:
    """The scatter over seeds where everything is off; None where that was not measured.

    Trainings that are read at several patience values count once: at the reference of early stopping. Points that
    differ only in knobs without effect (the strength of an augmentation that is off) are averaged for each seed.
    """
    off = {number for number, point in data.settings.items() if is_off(point)}
    rows = data.rows
    stopping = levels.get("early_stopping")
    if stopping is not None and stopping.reference is not None:
        rows = stopping.rows[stopping.rows["level"] == stopping.reference]
    values = rows[rows["trial"].isin(off)].dropna(subset=["test_accuracy"]).groupby("seed")["test_accuracy"].mean()
    if values.empty:
        return None
    deviation = float(values.std()) if values.size > 1 else None
    mean = MeanDeviation(mean=float(values.mean()), sd=deviation)
    return NoiseFloor(n=values.size, test_accuracy=mean, measure=measure_of(data.spec))
