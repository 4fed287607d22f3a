"""The page `docs/regularizers.md`, from the descriptions of regularizers: `python -m search_spaces.reference`."""

import inspect
import sys
from collections.abc import Iterator
from typing import get_args

from search_spaces.ranges import Fixed, Knob
from search_spaces.regularizers import REGULARIZERS, RegularizerSpec

PREFACE = """\
# Regularizers

Written by `python -m search_spaces.reference > docs/regularizers.md` from the descriptions in
`search_spaces/regularizers/`; a test compares.

A study names those it asks about under `regularizers`, each with a range for its knobs: a number or word (fixed),
`{grid: [...]}`, `{low, high, log, step}` or `{choices: [...]}`. The first knob is the dose that effects are drawn
over; where it is fixed, they are drawn over the first knob that is not. `optional: true` makes "off" a
point of its own beside the range, and a dose may reach the value that is off below. What is off leaves a training as it
would be without it.

A knob *of the lane* is a run-time number: trials that differ in it share one compiled program. One *of the program*
changes the model or its evaluation, and each of its values is trained in a program of its own. One *of the reading*
chooses among the epochs of a curve, and costs no training. One *of the study* is the same for all trials, no range.
"""

REACHES = {"runtime": "lane", "structural": "program", "replayed": "reading"}
"""What a knob belongs to, in words."""


def page() -> str:
    """The page, in Markdown."""
    lines = [PREFACE, "| name | what it does | knobs |", "|---|---|---|"]
    for name, kind in REGULARIZERS.items():
        lines.append(f"| [`{name}`](#{name}) | {kind.summary} | {', '.join(f'`{knob}`' for knob in kind.knobs())} |")
    for name, kind in REGULARIZERS.items():
        lines += ["", *_section(name, kind)]
    return "\n".join(lines) + "\n"


def _section(name: str, kind: type[RegularizerSpec]) -> Iterator[str]:
    text, _, sources = (inspect.getdoc(kind) or "").partition("\nReferences:\n")
    yield f"## {name}"
    yield ""
    yield text.strip()
    yield ""
    yield "| knob | range | off | default | of the |"
    yield "|---|---|---|---|---|"
    for knob_name, knob in kind.knobs().items():
        off = "" if knob.off is None else f"{knob.off}"
        yield f"| `{knob_name}` | {_range(knob)} | {off} | {_default(kind, knob_name)} | {REACHES[knob.role]} |"
    for option, words in _options(kind).items():
        yield f"| `{option}` | {words} | | {_plain(kind.model_fields[option].default)} | study |"
    needs = list(_needs(kind))
    if needs:
        yield ""
        yield f"Needs {' and '.join(needs)}."
    if sources:
        yield ""
        yield "Source: " + " ".join(sources.split())


def _range(knob: Knob) -> str:
    return ", ".join(knob.words) if knob.kind == "category" else knob.expected()


def _default(kind: type[RegularizerSpec], knob: str) -> str:
    default = kind.model_fields[knob].default
    return _plain(default.value) if isinstance(default, Fixed) else ""


def _options(kind: type[RegularizerSpec]) -> dict[str, str]:
    """What belongs to the whole study, with the words it takes."""
    names = [name for name in kind.model_fields if name not in {*kind.knobs(), *RegularizerSpec.model_fields}]
    return {name: ", ".join(get_args(kind.model_fields[name].annotation)) or "true or false" for name in names}


def _needs(kind: type[RegularizerSpec]) -> Iterator[str]:
    if kind.needs_images:
        yield "images"
    if kind.blends_examples:
        yield "examples that are no whole numbers to be embedded"
    if kind.places:
        yield f"a model with {' or '.join(kind.places)}"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.stdout.write(page())
