"""Levels on the command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.levels import integers, levels
from service.errors import InvalidStudySpecError


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("0:0.9:0.1", {"grid": [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]}),
        ("0:0.8:0.2", {"grid": [0, 0.2, 0.4, 0.6, 0.8]}),
        ("2:10:3", {"grid": [2, 5, 8]}),
        ("0,1e-4,1e-3", {"grid": [0, 0.0001, 0.001]}),
        ("none, shift", {"grid": ["none", "shift"]}),
        ("0.25", 0.25),
        ("5", 5),
    ],
)
def test_levels_are_written_as_a_study_writes_them(text: str, asked: object) -> None:
    found = levels("--dropout", text)
    assert found == asked
    assert repr(found).replace("0.0,", "0,") == repr(asked).replace("0.0,", "0,")


@pytest.mark.parametrize("text", ["", "1:2", "0:x:1", "1:0:0.1", "0:1:0", "0:1:-1", "0:1:0.0001", "::"])
def test_what_is_no_level_is_refused_by_flag(text: str) -> None:
    with pytest.raises(InvalidStudySpecError) as refusal:
        levels("--dropout", text)
    assert refusal.value.errors[0]["field"] == "--dropout"


@given(low=st.integers(0, 50), n_levels=st.integers(1, 60), step=st.integers(1, 40))
def test_a_range_in_hundredths_has_every_step_once_without_rounding(low: int, n_levels: int, step: int) -> None:
    high = low + (n_levels - 1) * step
    found = levels("--x", f"{low / 100:.2f}:{high / 100:.2f}:{step / 100:.2f}")["grid"]
    assert found == [round(low + i * step) / 100 for i in range(n_levels)]


@pytest.mark.parametrize("text", ["", "a", "1,,2", "-1", "1.5", "9" * 30])
def test_what_is_no_list_of_integers_is_refused(text: str) -> None:
    with pytest.raises(InvalidStudySpecError):
        integers("--hidden", text)


def test_integers_are_read() -> None:
    assert integers("--hidden", "128, 64") == [128, 64]
