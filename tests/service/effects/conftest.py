import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _frozen_heap() -> Iterator[None]:
    """Keeps statsmodels' full garbage collection, one for each adjustment of p-values, from walking every import."""
    gc.freeze()
    yield
    gc.unfreeze()
