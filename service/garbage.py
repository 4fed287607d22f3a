"""Short rounds of the garbage collector: what was loaded to stay is not looked at again."""

import gc
from functools import cache


@cache
def keep_loaded(what: str) -> None:
    """Takes all objects that live now out of the collector's rounds; once for each `what`.

    The libraries behind the effects alone are 250,000 objects: a full round over them stops every request for about
    0.2 s. To be called after modules were loaded, when little else lives, since what is kept is never freed if it is
    part of a cycle.

    Args:
        what: What has just been loaded.
    """
    del what
    gc.collect()
    gc.freeze()
