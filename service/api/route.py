"""`Route`: an endpoint that blocks takes a thread once per request."""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar

from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

P = ParamSpec("P")
T = TypeVar("T")


class Route(APIRoute):
    """FastAPI's route, but the answer is checked where the request came in.

    For an endpoint that is no coroutine FastAPI takes a thread twice, the second time to check the answer. Our views
    are checked when they are made, so that nothing is left to do there, and a change of threads costs half a
    millisecond of processor time.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else _in_thread(endpoint), **options)


def _in_thread(endpoint: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    @wraps(endpoint)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await run_in_threadpool(endpoint, *args, **kwargs)

    return run
