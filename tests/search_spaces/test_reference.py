from pathlib import Path

from search_spaces.reference import page
from search_spaces.regularizers import REGULARIZERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "regularizers.md"


def test_the_page_of_regularizers_is_what_the_command_prints() -> None:
    assert PAGE.read_text() == page(), "python -m search_spaces.reference > docs/regularizers.md"


def test_the_page_says_of_every_regularizer_what_it_does_and_where_that_was_published() -> None:
    _, *sections = page().split("\n## ")
    assert [section.partition("\n")[0] for section in sections] == list(REGULARIZERS)
    for section, kind in zip(sections, REGULARIZERS.values(), strict=True):
        assert "\nSource: " in section
        for name, knob in kind.knobs().items():
            assert f"\n| `{name}` | " in section
            assert (", ".join(knob.words) or knob.expected()) in section
