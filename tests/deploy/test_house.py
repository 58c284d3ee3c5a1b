"""Parts of a house die and come back."""

import asyncio
from itertools import permutations

import asyncpg
import httpx
import pytest

from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.keeper import Keeper
from deploy.local.topology import SERVICES

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


async def test_no_service_of_a_house_sees_into_the_database_of_another(engines: Engines) -> None:
    admin = await asyncpg.connect(engines.admin_dsn)
    async with House(engines=engines, prefix="walls-", parts=["sandbox"]) as house:
        rooms = {name: await asyncpg.connect(house.site.database_url(name)) for name in SERVICES}
        try:
            for room in rooms.values():
                await room.execute("CREATE TABLE patient (name text)")
            for visitor, owner in permutations(SERVICES, 2):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await rooms[visitor].execute(f"SELECT * FROM {house.site.tenant(owner)}.patient")
        finally:
            for room in rooms.values():
                await room.close()
    left = await admin.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE 'stillwater_walls%'")
    await admin.close()
    assert left == []


async def test_a_service_that_is_told_to_stop_drains_before_it_ends(engines: Engines) -> None:
    async with House(engines=engines, prefix="drained-", parts=["sandbox", "scheduling"]) as house:
        assert await house.stop_part("scheduling")
        said = (house.logs / "scheduling.log").read_text()
        assert '"event": "stopped"' in said
