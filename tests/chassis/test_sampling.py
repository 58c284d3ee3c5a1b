"""How often gauges are read that only the database knows."""

import asyncio
from collections.abc import Awaitable, Callable

from chassis.sampling import keep_sampling


async def test_what_takes_long_to_count_is_counted_less_often() -> None:
    counted = list[None]()

    async def slowly() -> None:
        counted.append(None)
        await asyncio.sleep(0.1)

    await _for_a_second(slowly)
    assert len(counted) == 1


async def test_what_could_not_be_counted_is_tried_again_soon() -> None:
    tried = list[None]()

    async def hangs() -> None:
        tried.append(None)
        await asyncio.sleep(0.1)
        raise TimeoutError

    await _for_a_second(hangs)
    assert len(tried) > 1


async def _for_a_second(sample: Callable[[], Awaitable[None]]) -> None:
    sampling = asyncio.create_task(keep_sampling(sample, lambda _: None, interval_seconds=0.01))
    await asyncio.sleep(1)
    sampling.cancel()
