"""From the knobs of `augmentation` to the strengths of the elementary changes."""

from search_spaces.values import Point

STRENGTHS = ("flip", "shift", "rotate", "zoom", "shear", "contrast", "erasing", "randaugment")
"""What a lane has one number for each, 0 where its policy does not use it."""

RANDAUGMENT_CHANGES = ("none", "shift", "rotate", "zoom", "shear", "contrast", "erasing")
RANDAUGMENT_PICKS = 2
"""`randaugment` picks so many of these for each image, with equal chances, and puts them back in between."""


def strengths(settings: Point) -> dict[str, float]:
    """Strength of each elementary change at a lane's settings; `flip` is 1 or 0."""
    policy = settings.get("augmentation.policy", "none")
    strength = float(settings.get("augmentation.strength", 0.0))
    return {name: (1.0 if name == "flip" else strength) if name == policy else 0.0 for name in STRENGTHS}
