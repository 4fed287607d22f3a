"""Numbers and names in words, the same in sentences, tables and figures."""

from search_spaces.values import Point, Scalar
from service.effects.view import Effects, MeanInterval, NoiseFloor


def percent(fraction: float | None) -> str:
    """An accuracy in percent, without the sign: `77.8`; a dash where there is none."""
    return "-" if fraction is None else f"{100 * fraction:.1f}"


def points(fraction: float) -> str:
    """The size of a difference in percentage points, without its sign: `2.8`."""
    return f"{abs(100 * fraction):.1f}"


def signed_points(fraction: float | None) -> str:
    """A difference in percentage points: `+2.8`; a dash where there is none."""
    if fraction is None:
        return "-"
    text = f"{100 * fraction:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def interval(estimate: MeanInterval) -> str:
    """An accuracy in percent with its interval: `77.8 (77.0 to 78.6)`."""
    if estimate.low is None or estimate.high is None:
        return percent(estimate.mean)
    return f"{percent(estimate.mean)} ({percent(estimate.low)} to {percent(estimate.high)})"


def p_value(value: float | None) -> str:
    """A p-value to two digits, small ones as `< 0.001`."""
    if value is None:
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def scalar(value: Scalar) -> str:
    """A knob's value: `0.2`, `1e-04`, `shift`."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def title(name: str) -> str:
    """A regularizer's name in words: `early stopping`."""
    return name.replace("_", " ")


def counted(count: int, noun: str) -> str:
    """`1 seed`, `30 seeds`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def references(effects: Effects) -> str:
    """What the differences of a study are from, in a few words."""
    named = {effect.reference for effect in effects.regularizers} - {None, "off"}
    return "off or the level named" if named else "off"


def parameters_text(point: Point) -> str:
    """A point in words; a study without regularizers has one point, the empty one."""
    return ", ".join(f"{name} {scalar(value)}" for name, value in point.items()) or "no regularizer"


def noise_floor_sentence(floor: NoiseFloor) -> str:
    """The noise floor in words."""
    deviation = floor.test_accuracy.sd
    scatter = "" if deviation is None else f" with standard deviation {points(deviation)} points"
    mean = percent(floor.test_accuracy.mean)
    seeds = counted(floor.n, "seed")
    return f"Noise floor: with everything off, test {floor.measure} is {mean} %{scatter} over {seeds}."
