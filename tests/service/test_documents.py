"""Documents: what the standard parsers let pass is refused."""

import pytest

from service.documents import parse_json, parse_yaml
from service.errors import InvalidStudySpecError


def test_json_is_parsed() -> None:
    assert parse_json(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("text", "received"),
    [
        (b"{nope", "Expecting property name"),
        (b"", "Expecting value"),
        (b'{"a": 1, "a": 2}', "key 'a' twice"),
        (b'{"a": NaN}', "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[" * 100_000, "nested too deeply"),
        (b'"\xff"', "codec can't decode"),
        (b"1" * 5000, "4300 digits"),
    ],
    ids=["broken", "empty", "repeated key", "NaN", "infinity", "deep", "not UTF-8", "long number"],
)
def test_json_that_no_one_should_send_is_refused(text: bytes, received: str) -> None:
    with pytest.raises(InvalidStudySpecError) as refusal:
        parse_json(text)
    assert refusal.value.errors[0]["field"] == "body"
    assert received in refusal.value.errors[0]["received"]


@pytest.mark.parametrize("number", ["1e-4", "1E-4", "1.0e-4", "+1e-4", "0.0001"])
def test_yaml_numbers_with_an_exponent_are_numbers(number: str) -> None:
    assert parse_yaml(f"factor: {number}".encode()) == {"factor": 0.0001}


@pytest.mark.parametrize("word", ["none", "1e", "e4", "1-4"])
def test_yaml_words_stay_words(word: str) -> None:
    assert parse_yaml(f"policy: {word}".encode()) == {"policy": word}


@pytest.mark.parametrize(
    ("text", "received"),
    [
        (b"a: [", "expected the node content"),
        (b"a: 1\na: 2", "key 'a' twice"),
        (b"a: &x [1, 2]\nb: *x", "an alias"),
        (b"a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        (b"[" * 5000, "nested too deeply"),
        (b"a: \xff", "codec can't decode"),
    ],
    ids=["broken", "repeated key", "alias", "python object", "deep", "not UTF-8"],
)
def test_yaml_that_no_one_should_write_is_refused(text: bytes, received: str) -> None:
    with pytest.raises(InvalidStudySpecError) as refusal:
        parse_yaml(text)
    assert received in refusal.value.errors[0]["received"]
