"""What the layers of a grafted model may ask while one lane's step is traced: its key and its knobs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from trials.engine.random_bits import Key, Tensor, fold


@dataclass(frozen=True)
class LaneScope:
    """One step of one lane.

    Attributes:
        key: Key of this step; a layer folds its own stream number into it.
        knobs: Knob name to its scalar tensor for this lane.
        is_sampling: Whether dropout acts although this is no training step.
    """

    key: Key
    knobs: Mapping[str, Tensor]
    is_sampling: bool = False
    _calls: Counter[int] = field(default_factory=Counter, init=False)

    def next_key(self, stream: int) -> Key:
        """Key of a layer's next call in this step: a layer that is used twice draws twice."""
        calls, self._calls[stream] = self._calls[stream], self._calls[stream] + 1
        key = fold(self.key, stream)
        return key if calls == 0 else fold(key, calls)


_current: ContextVar[LaneScope | None] = ContextVar("lane_scope", default=None)


@contextmanager
def lane_scope(scope: LaneScope) -> Iterator[None]:
    """Makes a lane's step visible to the layers called inside."""
    token = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(token)


def in_lane() -> bool:
    """Whether a lane's step is being traced."""
    return _current.get() is not None


def is_sampling() -> bool:
    """Whether predictions are being drawn: dropout acts in inference too."""
    scope = _current.get()
    return scope is not None and scope.is_sampling


def current_lane() -> LaneScope:
    """The lane whose step is being traced.

    Raises:
        RuntimeError: A grafted layer was called in training outside the engine.
    """
    scope = _current.get()
    if scope is None:
        msg = "a grafted layer was called with training=True outside a lane scope; expected to be called by the engine"
        raise RuntimeError(msg)
    return scope
