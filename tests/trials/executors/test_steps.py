import pytest

from trials.errors import MAX_REASON_LENGTH, reason_of, shorten
from trials.executors.steps import is_memory_error, tells_of_memory


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


class XlaRuntimeError(Exception):
    """Named as JAX'."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (ResourceExhaustedError("OOM when allocating tensor"), True),
        (XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 10 bytes"), True),
        (XlaRuntimeError("INVALID_ARGUMENT: shapes"), False),
        (ValueError("out of memory"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_memory_errors_of_every_backend_are_known(error: Exception, expected: bool) -> None:
    assert is_memory_error(error) is expected


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("terminate called after throwing an instance of 'std::bad_alloc'", True),
        ("[low_level_alloc.cc : 599] RAW: mmap error: 12", True),
        ("Thread tf_host-executor creation via pthread_create() failed.", True),
        ("Check failed: shape == expected", False),
    ],
)
def test_the_log_of_a_process_that_aborted_tells_whether_memory_ran_out(log: str, expected: bool) -> None:
    assert tells_of_memory(log) is expected


def test_a_long_reason_keeps_its_start_and_its_end() -> None:
    text = shorten("start" + "x" * 5000 + "end")

    assert len(text) <= MAX_REASON_LENGTH
    assert text.startswith("start")
    assert text.endswith("end")


def test_the_reason_of_an_error_without_text_is_its_type() -> None:
    assert reason_of(KeyboardInterrupt()) == "KeyboardInterrupt"
