"""What the gauges cost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from chassis.telemetry import Telemetry


async def test_what_takes_long_to_count_is_counted_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry, counted = Telemetry(CollectorRegistry()), list[None]()

    async def slowly(database: Any) -> None:
        counted.append(None)
        await asyncio.sleep(0.1)

    await _for_a_second(telemetry, slowly, monkeypatch)
    assert len(counted) == 1


async def test_what_could_not_be_counted_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry, tried = Telemetry(CollectorRegistry()), list[None]()

    async def hangs(database: Any) -> None:
        tried.append(None)
        await asyncio.sleep(0.1)
        raise TimeoutError

    await _for_a_second(telemetry, hangs, monkeypatch)
    assert len(tried) > 1


async def _for_a_second(
    telemetry: Telemetry, count: Callable[[Any], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_sample", count)
    counting = asyncio.create_task(telemetry.sample(cast("Any", None), interval_seconds=0.01))
    await asyncio.sleep(1)
    counting.cancel()
