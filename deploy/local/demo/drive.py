"""The demo from its start to its end: a house, seven people, what came of them, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.local.demo import checks
from deploy.local.demo.hearing import Hearing, hearing
from deploy.local.demo.journeys import Journey, load_journeys
from deploy.local.demo.leaving import Footprint, footprint
from deploy.local.demo.looking import Looking
from deploy.local.demo.privacy import leaks, places_to_search
from deploy.local.house import House
from deploy.local.keeper import Keeper
from deploy.local.process import StartError
from deploy.local.screen import Screen
from deploy.local.topology import SANDBOX, SERVICES
from sandbox.patients.people import Person, cast
from sandbox.patients.photographs import photograph_apart
from sandbox.patients.submission import NotTaken, submit

JOURNEY_SECONDS = 180.0
"""Until the last of the seven has arrived; reading a card on a busy machine takes most of it."""
QUIET_SECONDS = 2.0
PATIENCE = {
    "billing": {"STILLWATER_BILLING_ASK_TIMEOUT_SECONDS": "4"},
    "notify": {"STILLWATER_NOTIFY_TEXT_SETTLES_SECONDS": "10"},
}
"""How long outsiders that do not answer are waited for, so that nobody watching has to wait as well."""


@dataclass
class Traveller:
    """One of the seven on the way."""

    person: Person
    journey: Journey
    patient_id: str
    sent: float = field(default_factory=time.monotonic)
    """When their form was taken, by the machine's clock."""
    problems: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        """What they are called here: their scenario."""
        return self.person.scenario


@dataclass
class Outcome:
    """What the demo ends with."""

    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    problems: list[str] = field(default_factory=list[str])


async def demo(screen: Screen, seed: int) -> int:
    """Returns the exit code. The last line printed is the outcome as JSON, whatever happened."""
    began = time.monotonic()
    _stop_when_told()
    screen.say("Seven made-up people come to a clinic of their own.")
    screen.working("Starting the engines, then the services")
    house = House(step=screen.step, durable=False, extra=PATIENCE)
    outcome, stood = Outcome(), Footprint(folders=(house.folder,))
    try:
        async with house:
            keeping = asyncio.create_task(Keeper(house, screen.say, changed=lambda: None).run())
            try:
                await _in_the_house(house, seed, screen, outcome)
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
                stood = footprint(os.getpid(), house.folders())
    except (StartError, NotTaken, httpx.HTTPError) as problem:
        outcome.problems.append(_in_words(problem))
    except asyncio.CancelledError:
        outcome.problems.append("it was told to stop before its end")
    finally:
        screen.rest()
    outcome.problems += stood.left()
    return _sum_up(screen, outcome, round(time.monotonic() - began, 1))


async def _in_the_house(house: House, seed: int, screen: Screen, outcome: Outcome) -> None:
    async with (
        hearing(house.engines.bootstrap, house.topics) as heard,
        httpx.AsyncClient(timeout=30, trust_env=False, transport=_returning()) as client,
    ):
        travellers = await send(house, client, seed, screen)
        await wait(heard, travellers, screen)
        outcome.problems += await check(Looking(house, client), heard, travellers)
        if strangers := heard.subjects() - {one.patient_id for one in travellers}:
            outcome.problems.append(f"something was said of {len(strangers)} others, whom nobody sent")
        searched = await places_to_search(house, client, "\n".join(heard.keys_and_headers))
        outcome.problems += leaks([one.person for one in travellers], searched)
        outcome.problems += [f"{part} has no log" for part in SERVICES if f"the log {part}.log" not in searched]
    outcome.steps += _told(heard, travellers, screen)
    outcome.problems += [f"{one.name}: {problem}" for one in travellers for problem in one.problems]


def _returning() -> httpx.AsyncHTTPTransport:
    """Connects again for some fifteen seconds: a service that died is started again meanwhile."""
    return httpx.AsyncHTTPTransport(retries=6)


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
    """Until everybody is where their journey ends, or JOURNEY_SECONDS are over; then until nothing more is said."""
    on_the_way = list(travellers)

    def all_arrived() -> bool:
        for one in [one for one in on_the_way if arrived(heard, one)]:
            on_the_way.remove(one)
            screen.step(one.name, time.monotonic() - one.sent)
        screen.working(f"{len(travellers) - len(on_the_way)} of {len(travellers)} are booked, told, and settled")
        return not on_the_way

    await heard.until(all_arrived, JOURNEY_SECONDS)
    screen.working("Listening whether anything is said twice")
    await heard.quiet(QUIET_SECONDS, within=15)


def arrived(heard: Hearing, one: Traveller) -> bool:
    """All that is to be said of them has been said."""
    counts = heard.counts(one.patient_id)
    return all(counts[event] >= times for event, times in one.journey.events.items())


async def check(looking: Looking, heard: Hearing, travellers: list[Traveller]) -> list[str]:
    """Every service's word on everybody. What concerns one person is kept with them; the rest is returned."""
    await console_caught_up(looking, heard, travellers)
    standing: list[dict[str, Any]] = []
    for one in travellers:
        standing += await _check_one(looking, heard, one)
    problems = checks.of_bookings(standing)
    in_danger = {one.patient_id for one in travellers if one.journey.urgent}
    problems += checks.of_tasks(await looking.tasks(), in_danger)
    for part in SERVICES:
        seen = await looking.looked_at(part)
        if missing := [one.name for one in travellers if one.patient_id not in seen]:
            problems.append(f"{part} has no record of who looked at: {', '.join(missing)}")
    return problems


async def console_caught_up(looking: Looking, heard: Hearing, travellers: list[Traveller]) -> None:
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


def _sum_up(screen: Screen, outcome: Outcome, seconds: float) -> int:
    screen.say()
    for problem in outcome.problems:
        screen.fail(problem)
    ok = not outcome.problems
    if ok:
        screen.say(f"All seven are booked and told, and every service agrees. {seconds} s, nothing left behind.")
    line = {"name": "demo", "ok": ok, "seconds": seconds, "steps": outcome.steps, "problems": outcome.problems}
    print(json.dumps(line), flush=True)  # noqa: T201
    return 0 if ok else 1


def _in_words(problem: Exception) -> str:
    """Without addresses, which may name somebody."""
    if isinstance(problem, httpx.HTTPStatusError):
        return f"{problem.request.url.path} answered {problem.response.status_code}"
    if isinstance(problem, httpx.HTTPError):
        return f"a service did not answer: {type(problem).__name__}"
    return str(problem)


def _stop_when_told() -> None:
    """Ctrl-C or a request to end stops the house in order. Asking again changes nothing: it takes seconds."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    asked = asyncio.Event()

    def stop() -> None:
        if task and not asked.is_set():
            asked.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
