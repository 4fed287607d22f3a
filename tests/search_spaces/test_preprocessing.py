import pytest
from pydantic import TypeAdapter, ValidationError

from search_spaces.preprocessing import ZCA, Preprocessing
from search_spaces.spec import StudySpec

ADAPTER: TypeAdapter[Preprocessing] = TypeAdapter(Preprocessing)
STUDY = {"name": "x", "dataset": "digits", "search": {"sampler": "grid"}}


@pytest.mark.parametrize("word", ["none", "scale", "standardize", "column_l2"])
def test_a_word_is_stored_as_the_word_that_was_written(word: str) -> None:
    study = StudySpec.model_validate(STUDY | {"preprocessing": word})

    assert study.model_dump()["preprocessing"] == study.model_dump(mode="json")["preprocessing"] == word
    assert StudySpec.model_validate_json(study.model_dump_json()) == study


@pytest.mark.parametrize("written", ["zca", {"name": "zca"}, {"name": "zca", "epsilon": 0.1}], ids=str)
def test_zca_is_stored_with_its_epsilon(written: object) -> None:
    study = StudySpec.model_validate(STUDY | {"preprocessing": written})

    assert study.model_dump(mode="json")["preprocessing"] == {"name": "zca", "epsilon": 0.1}
    assert StudySpec.model_validate_json(study.model_dump_json()) == study


@pytest.mark.parametrize("epsilon", [1e-8, 10.0])
def test_epsilon_may_be_at_its_bounds(epsilon: float) -> None:
    assert ADAPTER.validate_python({"name": "zca", "epsilon": epsilon}) == ZCA(epsilon=epsilon)


@pytest.mark.parametrize("epsilon", [0.0, 9e-9, 10.1, -1.0, float("nan"), float("inf")])
def test_epsilon_beyond_its_bounds_is_refused(epsilon: float) -> None:
    with pytest.raises(ValidationError, match="epsilon"):
        ADAPTER.validate_python({"name": "zca", "epsilon": epsilon})


def test_scale_is_what_a_study_gets_that_names_nothing() -> None:
    assert StudySpec.model_validate(STUDY).preprocessing == ADAPTER.validate_python("scale")
