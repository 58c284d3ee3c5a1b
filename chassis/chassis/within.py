"""Waiting no longer than said, for code that may not end when it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, doing: Coroutine[Any, Any, T]) -> T:
    """Raises TimeoutError after so long, or where what is done was cancelled by others. It is cancelled then, and not
    waited for.

    `asyncio.timeout` waits for the end of what it cancels; aiokafka's closing has been seen to have none.
    """
    task = asyncio.ensure_future(doing)
    task.add_done_callback(lambda task: task.cancelled() or task.exception())  # it may fail later, with nobody waiting
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done() or task.cancelled():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()
