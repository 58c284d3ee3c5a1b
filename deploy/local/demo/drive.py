"""The demo from its start to its end: a house, seven people, what came of them, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.local.demo import checks
from deploy.local.demo.hearing import Hearing, hearing
from deploy.local.demo.journeys import Journey, load_journeys
from deploy.local.demo.looking import Looking
from deploy.local.demo.privacy import leaks, places_to_search
from deploy.local.house import House
from deploy.local.screen import Screen
from deploy.local.topology import SANDBOX, SERVICES
from sandbox.patients.people import Person, cast
from sandbox.patients.photographs import photograph_apart
from sandbox.patients.submission import submit

JOURNEY_SECONDS = 90.0
QUIET_SECONDS = 2.0
PAYER_SECONDS = "4"
"""How long the payer that does not answer is waited for, so that nobody watching has to wait as well."""


@dataclass
class Traveller:
    """One of the seven on the way."""

    person: Person
    journey: Journey
    patient_id: str
    problems: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        """What they are called here: their scenario."""
        return self.person.scenario


async def demo(screen: Screen, seed: int) -> int:
    """Returns the exit code."""
    began = time.monotonic()
    screen.say("Seven made-up people come to a clinic of their own.")
    screen.working("Starting the engines, then the services")
    patience = {"billing": {"STILLWATER_BILLING_ASK_TIMEOUT_SECONDS": PAYER_SECONDS}}
    house = House(step=screen.step, durable=False, extra=patience)
    steps: list[dict[str, Any]] = []
    problems: list[str] = []
    try:
        async with (
            house,
            hearing(house.engines.bootstrap, house.topics) as heard,
            httpx.AsyncClient(timeout=30, trust_env=False) as client,
        ):
            travellers = await send(house, client, seed, screen)
            await wait(heard, travellers, screen)
            problems += await check(Looking(house, client), heard, travellers)
            searched = await places_to_search(house, client, "\n".join(heard.keys_and_headers))
            problems += leaks([one.person for one in travellers], searched)
            problems += [f"{part} has no log" for part in SERVICES if f"the log {part}.log" not in searched]
            steps = _told(heard, travellers, screen)
            problems += [f"{one.name}: {problem}" for one in travellers for problem in one.problems]
    finally:
        screen.rest()
    problems += _left_behind(house)
    seconds = round(time.monotonic() - began, 1)
    _sum_up(screen, problems, seconds)
    print(json.dumps({"name": "demo", "ok": not problems, "seconds": seconds, "steps": steps, "problems": problems}))  # noqa: T201
    return 1 if problems else 0


async def send(
    house: House, client: httpx.AsyncClient, seed: int, screen: Screen, only: Collection[str] = ()
) -> list[Traveller]:
    """Each registers with their payer, photographs the card, and sends the public form. `only`: those of the seven."""
    journeys = {name: journey for name, journey in load_journeys().items() if not only or name in only}
    people = {person.scenario: person for person in cast(seed)}
    travellers: list[Traveller] = []
    for number, (name, journey) in enumerate(journeys.items(), 1):
        screen.working(f"{number} of {len(journeys)} fills in the form: {journey.who}")
        person = people[name]
        if (member := person.membership()) is not None:
            known = member.model_dump(mode="json")
            (await client.post(f"{house.url(SANDBOX)}/control/members", json=known)).raise_for_status()
        photos = await photograph_apart(person.card_fields(), person.card, person.seed) if person.card else {}
        taken = await submit(client, house.url("intake"), person, photos)
        travellers.append(Traveller(person, journey, taken.patient_id))
    return travellers


async def wait(heard: Hearing, travellers: list[Traveller], screen: Screen) -> None:
    def arrived(one: Traveller) -> bool:
        counts = heard.counts(one.patient_id)
        return all(counts[event] >= times for event, times in one.journey.events.items())

    def all_arrived() -> bool:
        there = sum(map(arrived, travellers))
        screen.working(f"{there} of {len(travellers)} are booked, told, and their insurance is settled")
        return there == len(travellers)

    await heard.until(all_arrived, JOURNEY_SECONDS)
    screen.working("Listening whether anything is said twice")
    await heard.quiet(QUIET_SECONDS, within=15)


async def check(looking: Looking, heard: Hearing, travellers: list[Traveller]) -> list[str]:
    """Every service's word on everybody. What concerns one person is kept with them; the rest is returned."""
    await _console_caught_up(looking, heard, travellers)
    standing: list[dict[str, Any]] = []
    for one in travellers:
        standing += await _check_one(looking, heard, one)
    problems = checks.of_bookings(standing)
    tasks = await looking.tasks()
    if not tasks or tasks[0]["kind"] != "in_danger":
        problems.append("nobody in danger heads the list of staff")
    for part in SERVICES:
        seen = await looking.looked_at(part)
        if missing := [one.name for one in travellers if one.patient_id not in seen]:
            problems.append(f"{part} has no record of who looked at: {', '.join(missing)}")
    return problems


async def _console_caught_up(looking: Looking, heard: Hearing, travellers: list[Traveller]) -> None:
    """The console reads the same streams as we do, and may be a moment behind."""
    for _ in range(50):
        shown = [await looking.on_the_console(one.patient_id) for one in travellers]
        counts = [sum(heard.counts(one.patient_id).values()) for one in travellers]
        if [len(one["events"]) for one in shown] == counts:
            return
        await asyncio.sleep(0.1)


async def _check_one(looking: Looking, heard: Hearing, one: Traveller) -> list[dict[str, Any]]:
    """Returns the appointments that stand."""
    journey, person, id = one.journey, one.person, one.patient_id
    appointments = await looking.appointments(id)
    member_id = person.insurance.member_id if person.insurance else None
    one.problems += checks.of_events(journey, heard.counts(id))
    one.problems += checks.of_intake(journey, await looking.patient(id), person.name, member_id)
    one.problems += checks.of_scheduling(journey, appointments)
    one.problems += checks.of_billing(journey, await looking.coverages(id))
    one.problems += checks.of_notify(await looking.messages(id))
    one.problems += checks.of_console(journey, await looking.on_the_console(id))
    if appointments:
        letters, texts = await looking.letters(person.email), await looking.texts(person.phone)
        one.problems += checks.of_letters(journey, letters, texts, appointments[0])
    return [found for found in appointments if found["cancelled_at"] is None]


def _told(heard: Hearing, travellers: list[Traveller], screen: Screen) -> list[dict[str, Any]]:
    """Print each timeline, and return every step with the milliseconds since the form was taken."""
    steps: list[dict[str, Any]] = []
    screen.rest()
    for one in travellers:
        said = heard.about(one.patient_id)
        screen.say(f"\n{one.name} · {one.journey.who}")
        for event in said:
            ms = round((event.at - said[0].at).total_seconds() * 1000)
            screen.say(f"  {ms / 1000:7.3f} s  {event.service:<11}{event.event.replace('_', ' ')}")
            steps.append({"patient": one.name, "event": event.event, "service": event.service, "ms": ms})
        for problem in one.problems:
            screen.fail(f"  {problem}")
    return steps


def _left_behind(house: House) -> list[str]:
    problems = [f"{name} still runs" for name, child in house.children().items() if child.running]
    return [*problems, "its folder is still there"] if house.folder.exists() else problems


def _sum_up(screen: Screen, problems: list[str], seconds: float) -> None:
    screen.say()
    if problems:
        for problem in problems:
            screen.fail(problem)
    else:
        screen.say(f"All seven are booked and told, and every service agrees. {seconds} s, nothing left behind.")
