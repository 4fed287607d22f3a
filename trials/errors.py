"""What keeps a cohort from being trained, and how any error is told in one readable line."""

MAX_REASON_LENGTH = 1000
"""Characters. No text that crosses the process boundary may be longer (`search_spaces.values.Value`)."""


class InfeasibleCohortError(Exception):
    """The cohort cannot be trained, here or anywhere: its data or its model cannot be had."""


def reason_of(error: BaseException) -> str:
    """An error as people read it: its type and message, cut to what a message can carry."""
    if isinstance(error, InfeasibleCohortError):
        return shorten(str(error))
    message = str(error).strip()
    return shorten(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def shorten(text: str) -> str:
    """The text as a reason: its middle left out where it is too long, without NUL, which PostgreSQL refuses."""
    text = text.replace("\0", "")
    if len(text) <= MAX_REASON_LENGTH:
        return text
    half = (MAX_REASON_LENGTH - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
