"""What XLA refuses is trained in a slower way: the first of the backend's ways that can run the program."""

from typing import Any

from trials.engine.backends import Backend
from trials.engine.backends.base import F
from trials.errors import InfeasibleCohortError, reason_of

MEMORY_WORD = "RESOURCE_EXHAUSTED"
"""In the text of a backend's error, says that memory ran out: no other way would need less."""


class FirstWay:
    """Calls a function by the fastest of the backend's ways that can run it, found at the first call.

    All ways compute the same, the slower ones without XLA's fusion: results agree to rounding.

    Attributes:
        name: The way in use, for people.
    """

    def __init__(self, function: F, backend: Backend) -> None:
        self._function = function
        self._backend = backend
        self._ways = list(backend.ways)
        self._proven = False
        self._take_next()

    def __call__(self, *arguments: Any) -> Any:
        """What the function gives.

        Raises:
            InfeasibleCohortError: No way can run it; the text is what the fastest one said.
        """
        first: Exception | None = None
        while True:
            try:
                result = self._run(*arguments)
            except self._backend.refusals as error:
                if self._proven or MEMORY_WORD in str(error):
                    raise
                first = first or error
                if not self._ways:
                    raise InfeasibleCohortError(
                        f"model: cannot be trained on {self._backend.name}: {reason_of(first)}"
                    ) from first
                self._take_next()
            else:
                self._proven = True
                return result

    def _take_next(self) -> None:
        way = self._ways.pop(0)
        self.name = way.name
        self._run = way.wrap(self._function)
