"""Waiting for what must come, instead of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], within: float = 15) -> T:
    """Look again and again until `look` returns something true, and return it. Fails when `within` seconds are over."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        seen = await look()
        if seen:
            return seen
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {within} s; last seen: {seen!r}")
        await asyncio.sleep(0.02)
