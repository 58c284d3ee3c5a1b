"""Whichever service is killed in the middle of a journey: one booking, one decision for each purpose, nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from deploy.local.demo import checks
from deploy.local.demo.drive import Traveller, send, wait
from deploy.local.demo.hearing import Hearing, hearing
from deploy.local.demo.looking import Looking
from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.keeper import Keeper
from deploy.local.process import StartError
from deploy.local.screen import Screen
from deploy.local.topology import SANDBOX, SERVICES
from tests.waiting import eventually

pytestmark = pytest.mark.engines

WITHOUT_PHOTOS = ("uninsured", "without_card", "inactive", "in_danger")


@dataclass
class Clinic:
    """A house that is kept standing, and what is heard in it."""

    house: House
    heard: Hearing
    client: httpx.AsyncClient

    @property
    def looking(self) -> Looking:
        return Looking(self.house, self.client)


@pytest.fixture(scope="module")
async def clinic(engines: Engines) -> AsyncIterator[Clinic]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(House(engines=engines, prefix="killed-"))
        heard = await stack.enter_async_context(hearing(engines.bootstrap, house.topics))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        keeping = asyncio.create_task(Keeper(house, lambda _: None, lambda: None).run())
        try:
            yield Clinic(house, heard, client)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def _killed(clinic: Clinic, part: str) -> None:
    """While the forms come in; the keeper starts it again."""
    await asyncio.sleep(0.15)
    await clinic.house.kill(part)
    await eventually(partial(_is_back, clinic.house, part), within=60)


async def _is_back(house: House, part: str) -> bool:
    try:
        await house.ready(part)
    except StartError:
        return False
    return True


async def _came_to(clinic: Clinic, one: Traveller) -> list[str]:
    """What is wrong with the end of a journey. A letter may come twice; it may not have been decided twice."""
    looking, journey, id = clinic.looking, one.journey, one.patient_id
    letters = await looking.letters(one.person.email)
    return [
        *checks.of_events(journey, clinic.heard.counts(id)),
        *checks.of_scheduling(journey, await looking.appointments(id)),
        *checks.of_billing(journey, await looking.coverages(id)),
        *checks.of_notify(await looking.messages(id)),
        *([] if len({letter["headers"]["Message-ID"] for letter in letters}) == 2 else ["they did not get 2 letters"]),
    ]


async def _end_of(clinic: Clinic, part: str, sent: Callable[[], Awaitable[list[Traveller]]]) -> dict[str, list[str]]:
    killing = asyncio.create_task(_killed(clinic, part))
    travellers = await sent()
    await killing
    await wait(clinic.heard, travellers, Screen())
    return {one.name: problems for one in travellers if (problems := await _came_to(clinic, one))}


@pytest.mark.parametrize(("seed", "part"), list(enumerate(SERVICES, 100)))
async def test_a_service_that_is_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    clinic: Clinic, seed: int, part: str
) -> None:
    async def sent() -> list[Traveller]:
        if part != "intake":
            return await send(clinic.house, clinic.client, seed, Screen(), WITHOUT_PHOTOS)
        # A form that finds nobody there is sent again, as people do.
        travellers: list[Traveller] = []
        for name in WITHOUT_PHOTOS:
            travellers += await eventually(partial(_sent_once, clinic, seed, name), within=60)
        return travellers

    assert await _end_of(clinic, part, sent) == {}


async def _sent_once(clinic: Clinic, seed: int, name: str) -> list[Traveller]:
    try:
        return await send(clinic.house, clinic.client, seed, Screen(), (name,))
    except httpx.TransportError:
        return []


async def test_an_outside_world_that_goes_away_is_waited_for(clinic: Clinic) -> None:
    travellers = await send(clinic.house, clinic.client, 200, Screen(), ("uninsured",))
    await clinic.house.kill(SANDBOX)
    await wait(clinic.heard, travellers, Screen())
    (one,) = travellers
    assert checks.of_events(one.journey, clinic.heard.counts(one.patient_id)) == []
    assert checks.of_notify(await clinic.looking.messages(one.patient_id)) == []
