"""Parts of a house die and come back."""

import asyncio

import httpx
import pytest

from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.keeper import Keeper

pytestmark = pytest.mark.engines


async def test_a_part_that_is_killed_comes_back_on_its_address(engines: Engines) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    async with House(engines=engines, prefix="kept-", parts=["sandbox"]) as house:
        keeper = asyncio.create_task(Keeper(house, said.put_nowait, lambda: None).run())
        before = house.children()["sandbox"].pid
        await house.kill("sandbox")
        async with asyncio.timeout(60):
            assert "sandbox was killed by signal 9" in await said.get()
            assert await said.get() == "sandbox is back"
        keeper.cancel()
        assert house.children()["sandbox"].pid != before
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{house.url('sandbox')}/readyz")).is_success
    assert not house.folder.exists()
