"""Whichever service is killed in the middle of a journey: one booking, one decision for each purpose, nothing lost."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import httpx
import pytest

from deploy.local.demo import checks
from deploy.local.demo.drive import Traveller, arrived, console_caught_up, send, wait
from deploy.local.house import House
from deploy.local.process import StartError
from deploy.local.screen import Screen
from deploy.local.topology import SANDBOX, SERVICES
from tests.journeys.clinics import Clinic
from tests.waiting import eventually

pytestmark = pytest.mark.engines

WITHOUT_PHOTOS = ("uninsured", "without_card", "inactive", "in_danger")
MIDDLE = {
    "intake": "submitted",
    "scheduling": "submitted",
    "billing": "coverage_reported",
    "notify": "appointment_booked",
    "console": "submitted",
}
"""What has just been said when a service is killed: what it has work with, itself or as the next in line."""


@pytest.mark.parametrize(("seed", "part"), list(enumerate(SERVICES, 100)))
async def test_a_service_that_is_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    clinic: Clinic, seed: int, part: str
) -> None:
    known = clinic.heard.subjects()
    killing = asyncio.create_task(_killed_at(clinic, part, MIDDLE[part]))
    travellers: list[Traveller] = []
    for name in WITHOUT_PHOTOS:
        travellers += await eventually(partial(_sent, clinic, seed, name), within=60)
    await killing
    await wait(clinic.heard, travellers, Screen())
    await console_caught_up(clinic.looking, clinic.heard, travellers)
    assert await _wrong(clinic, travellers, may_repeat=part == "notify") == {}
    assert clinic.heard.subjects() - known == {one.patient_id for one in travellers}, "somebody is registered twice"


async def test_a_card_that_is_being_read_when_intake_is_killed_is_read_once(clinic: Clinic) -> None:
    travellers = await send(clinic.house, clinic.client, 150, Screen(), ("covered",))
    await clinic.house.kill("intake")
    await wait(clinic.heard, travellers, Screen())
    await console_caught_up(clinic.looking, clinic.heard, travellers)
    assert await _wrong(clinic, travellers, may_repeat=False) == {}


async def test_an_outside_world_that_goes_away_is_waited_for(clinic: Clinic) -> None:
    travellers = await send(clinic.house, clinic.client, 200, Screen(), ("uninsured",))
    await clinic.house.kill(SANDBOX)
    await wait(clinic.heard, travellers, Screen())
    (one,) = travellers
    assert checks.of_events(one.journey, clinic.heard.counts(one.patient_id)) == []
    assert checks.of_notify(await clinic.looking.messages(one.patient_id)) == []


async def _killed_at(clinic: Clinic, part: str, event: str) -> None:
    """The keeper starts it again; returns when it is ready."""
    before = clinic.heard.times(event)
    assert await clinic.heard.until(lambda: clinic.heard.times(event) > before, within=60), f"no {event} was heard"
    await clinic.house.kill(part)
    await eventually(partial(_is_back, clinic.house, part), within=60)


async def _is_back(house: House, part: str) -> bool:
    try:
        await house.ready(part)
    except StartError:
        return False
    return True


async def _sent(clinic: Clinic, seed: int, name: str) -> list[Traveller]:
    """Empty where nobody answers. The same form under the same key, as a browser that is told to try again sends it."""
    headers = {"Idempotency-Key": f"{seed}-{name}"}
    async with httpx.AsyncClient(timeout=30, trust_env=False, headers=headers) as client:
        try:
            return await send(clinic.house, client, seed, Screen(), (name,))
        except httpx.TransportError:
            return []


async def _wrong(clinic: Clinic, travellers: list[Traveller], *, may_repeat: bool) -> dict[str, list[str]]:
    """What is wrong with the ends of these journeys. `may_repeat`: what was sent when its sender died may come twice,
    as the same words; it may not have been decided twice."""
    found = {one.name: await _wrong_with(clinic, one, may_repeat=may_repeat) for one in travellers}
    return {name: problems for name, problems in found.items() if problems}


async def _wrong_with(clinic: Clinic, one: Traveller, *, may_repeat: bool) -> list[str]:
    if not arrived(clinic.heard, one):
        return checks.of_events(one.journey, clinic.heard.counts(one.patient_id))
    looking, journey, id = clinic.looking, one.journey, one.patient_id
    appointments = await looking.appointments(id)
    letters, texts = await looking.letters(one.person.email), await looking.texts(one.person.phone)
    if may_repeat:
        letters = _once(letters, lambda letter: letter["message_id"])
        texts = _once(texts, lambda text: text["body"])
    member_id = one.person.insurance.member_id if one.person.insurance else None
    return [
        *checks.of_events(journey, clinic.heard.counts(id)),
        *checks.of_intake(journey, await looking.patient(id), one.person.name, member_id),
        *checks.of_scheduling(journey, appointments),
        *checks.of_billing(journey, await looking.coverages(id)),
        *checks.of_notify(await looking.messages(id)),
        *checks.of_letters(journey, letters, texts, appointments[0]),
        *checks.of_console(journey, await looking.on_the_console(id)),
    ]


def _once(found: Iterable[dict[str, Any]], identity: Callable[[dict[str, Any]], str]) -> list[dict[str, Any]]:
    return list({identity(one): one for one in found}.values())
