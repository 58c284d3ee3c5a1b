"""A whole house on the engines of this run, kept standing, with somebody who hears all that is said in it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from deploy.local.demo.drive import PATIENCE
from deploy.local.demo.hearing import Hearing, hearing
from deploy.local.demo.looking import Looking
from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.keeper import Keeper


@dataclass
class Clinic:
    house: House
    heard: Hearing
    client: httpx.AsyncClient

    @property
    def looking(self) -> Looking:
        return Looking(self.house, self.client)


@asynccontextmanager
async def open_clinic(engines: Engines, prefix: str) -> AsyncGenerator[Clinic]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(House(engines=engines, prefix=prefix, extra=PATIENCE))
        heard = await stack.enter_async_context(hearing(engines.bootstrap, house.topics))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        keeping = asyncio.create_task(Keeper(house, lambda _: None, lambda: None).run())
        try:
            yield Clinic(house, heard, client)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
