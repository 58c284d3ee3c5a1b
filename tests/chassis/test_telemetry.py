"""What the gauges cost."""

import asyncio
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from chassis.telemetry import Telemetry


async def test_what_takes_long_to_count_is_counted_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry, counted = Telemetry(CollectorRegistry()), list[None]()

    async def slowly(database: Any) -> None:
        counted.append(None)
        await asyncio.sleep(0.1)

    monkeypatch.setattr(telemetry, "_sample", slowly)
    counting = asyncio.create_task(telemetry.sample(cast("Any", None), interval_seconds=0.01))
    await asyncio.sleep(1)
    counting.cancel()
    assert len(counted) == 1
