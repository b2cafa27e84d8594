"""Wait for something to become true, never for time to pass."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    fn: Callable[[], Awaitable[T]], *, within: float = ..., every: float = ...
) -> T: ...
@overload
async def eventually(fn: Callable[[], T], *, within: float = ..., every: float = ...) -> T: ...
async def eventually(fn: Callable[[], Any], *, within: float = 30.0, every: float = 0.05) -> Any:
    """The first truthy result of `fn`, which may fail by assertion until then.

    `within` and `every` are in seconds. Raises AssertionError with the last failure or value.
    """
    deadline = time.monotonic() + within
    while True:
        reason: object
        try:
            result = fn()
            value = await result if inspect.isawaitable(result) else result
            if value:
                return value
            reason = f"last value: {value!r}"
        except AssertionError as failure:
            reason = failure
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within:g} s: {reason}")
        await asyncio.sleep(every)
