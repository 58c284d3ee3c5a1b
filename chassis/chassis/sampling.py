"""Gauges that only the database knows, read again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

_MOST_OF_THE_TIME, _LONGEST_PAUSE = 0.02, 60
"""How much of all time may be spent on counting, unless that made the gauges older than so many seconds."""


async def keep_sampling(
    sample: Callable[[], Awaitable[None]], unknown: Callable[[Exception], None], interval_seconds: float = 5
) -> None:
    """Read with `sample`; where that failed, `unknown` makes the gauges say so: NaN or absent, never zero.

    Where very much waits, counting it takes long: it is then done less often, not all the time.
    """
    while True:
        began, pause = time.monotonic(), interval_seconds
        try:
            await sample()
            pause = max(pause, min((time.monotonic() - began) / _MOST_OF_THE_TIME, _LONGEST_PAUSE))
        except Exception as error:
            unknown(error)
        await asyncio.sleep(pause)
