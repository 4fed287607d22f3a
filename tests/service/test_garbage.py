import gc
from collections.abc import Iterator

import pytest

from service.garbage import keep_loaded


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()
    keep_loaded.cache_clear()


class Knot:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_loaded_is_no_longer_looked_at_and_what_comes_later_is_still_freed() -> None:
    stays = Knot()
    keep_loaded("a library")
    assert gc.get_freeze_count() > 10_000
    assert not any(seen is stays for seen in gc.get_objects())
    del stays
    for _ in range(10):
        Knot()
    assert gc.collect() >= 10


def test_it_is_done_once_for_each_that_is_loaded() -> None:
    keep_loaded("one")
    later = Knot()
    keep_loaded("one")
    assert any(seen is later for seen in gc.get_objects())
    keep_loaded("another")
    assert not any(seen is later for seen in gc.get_objects())
