"""Colours and words that every picture shares; safe for colour-blind readers.

References:
    Okabe and Ito, 2008, Color universal design: how to make figures that are friendly to colorblind people.
"""

from service.effects.view import Verdict

SERIES = {
    "train_accuracy": ("train", "#E69F00", "square"),
    "validation_accuracy": ("validation", "#CC79A7", "diamond"),
    "test_accuracy": ("test", "#0072B2", "circle"),
}
"""For each measure its word, its colour and its marker (plotly's name), the same in every picture."""

BETTER, WORSE, UNCLEAR = "#009E73", "#D55E00", "#7F7F7F"

SIGNS: dict[int, tuple[str, str]] = {
    1: ("better", BETTER),
    0: ("not separable from noise", UNCLEAR),
    -1: ("worse", WORSE),
}
"""For each sign of a significant difference its word and its colour."""

VERDICT_COLOURS: dict[Verdict, str] = {"helps": BETTER, "hurts": WORSE, "not separable": UNCLEAR}

GRID = "rgba(128, 128, 128, 0.25)"


def translucent(colour: str, opacity: float) -> str:
    """A hexadecimal colour as plotly's `rgba(…)`."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
