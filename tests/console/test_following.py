"""Whatever order the streams come in, and however often: the console shows what is so."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chassis.http import Role
from console.showing import reading
from contracts.event import Event
from contracts.ids import new_event_id
from contracts.notify import Channel, ReplyMeaning, ReplyReceived
from tests.chassis.front_desk import client
from tests.console.house import (
    NOW,
    House,
    Settings,
    booked,
    flagged,
    house,
    inactive,
    patient,
    registered,
    reported,
    requested,
    submitted,
    texted,
    undetermined,
    verified,
)
from tests.console.rebuilding import forget_all, from_the_beginning
from tests.waiting import eventually

pytestmark = pytest.mark.engines


def _shown(person: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on the order in which streams were heard."""
    return {
        "name": person["name"],
        "stage": person["stage"],
        "coverage": person["coverage"]["state"],
        "appointment": person["appointment"] and person["appointment"]["id"],
        "told": sorted((one["channel"], one["fate"]) for one in person["all_messages"]),
        "tasks": sorted(one["kind"] for one in person["tasks"]),
    }


async def test_a_journey_is_shown_from_the_form_to_the_text(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), booked(), requested(), verified(), *texted())
        person = await console.known(1, lambda one: len(one["events"]) == 8)
        assert _shown(person) == {
            "name": "Eleanor Whitfield",
            "stage": "booked",
            "coverage": "active",
            "appointment": "appointment_1",
            "told": [("sms", "delivered")],
            "tasks": [],
        }


async def test_streams_in_any_order_and_events_twice_end_in_the_same(settings: Settings) -> None:
    journey: dict[str, list[Event]] = {
        "intake": [registered(), submitted(), reported()],
        "scheduling": [booked()],
        "billing": [requested(), undetermined(), verified()],
        "notify": [*texted()],
    }
    chance = random.Random(7)
    async with house(settings) as console:
        for number in range(1, 9):
            waiting = {stream: list(events) for stream, events in journey.items()}
            while left := [stream for stream, events in waiting.items() if events]:
                event = waiting[chance.choice(left)].pop(0)
                id = new_event_id()
                await console.say(event, about=patient(number), id=id)
                if chance.random() < 0.4:
                    await console.say(event, about=patient(number), id=id)
        shown = [_shown(await console.known(number, lambda one: len(one["events"]) == 9)) for number in range(1, 9)]
        assert shown == [shown[0]] * 8
        assert shown[0]["coverage"] == "active"


async def test_what_is_shown_of_somebody_is_of_one_moment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), requested())
        await console.known(1, lambda one: len(one["events"]) == 4)
        read_journal = reading.journal

        async def answered_meanwhile(connection: Any, *args: Any, **how: Any) -> list[reading.Line]:
            await console.say(verified())
            await eventually(_has_heard(console, 5))
            return await read_journal(connection, *args, **how)

        with monkeypatch.context() as amid:
            amid.setattr(reading, "journal", answered_meanwhile)
            person = await console.asked(f"/api/patients/{patient()}")
        assert (person["coverage"]["state"], len(person["events"])) == ("unknown", 4)
        person = await console.asked(f"/api/patients/{patient()}")
        assert (person["coverage"]["state"], len(person["events"])) == ("active", 5)


def _has_heard(console: House, events: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        async with console.service.database.connection() as connection:
            return await connection.fetchval("SELECT count(*) FROM journal") == events

    return look


async def test_unknown_is_never_shown_as_no(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), booked(), requested(), undetermined())
        person = await console.known(1, lambda one: one["coverage"]["cause"] == "not_determined")
        assert person["coverage"]["state"] == "unknown"
        assert person["coverage"]["because"] == "Aetna has not answered in time"
        assert person["coverage"]["owner"] == "payer"
        await console.say(inactive())
        person = await console.known(1, lambda one: one["coverage"]["state"] != "unknown")
        assert person["coverage"]["state"] == "inactive"
        assert [task["kind"] for task in person["tasks"]] == ["coverage_inactive"]


async def test_somebody_in_danger_heads_the_list(settings: Settings) -> None:
    async with house(settings) as console:
        for number in (1, 2):
            await console.say(
                registered(), submitted(number), reported(number), inactive(number), about=patient(number)
            )
        await console.say(registered("Walter Byrne"), flagged(), submitted(3, in_danger=True), about=patient(3))
        await console.known(3, lambda one: one["in_danger"] is not None)
        tasks = (await console.asked("/api/tasks"))["tasks"]
        assert (tasks[0]["kind"], tasks[0]["patient_id"]) == ("in_danger", patient(3))


async def test_it_is_built_again_from_the_streams_alone(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), booked(), requested(), verified(), *texted())
        before = _shown(await console.known(1, lambda one: len(one["events"]) == 8))
        await forget_all(console)
    await from_the_beginning(console)
    async with house(settings) as again:
        assert _shown(await again.known(1, lambda one: len(one["events"]) == 8)) == before


async def test_every_look_is_recorded_and_nobody_looks_without_a_token(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted())
        await console.known(1, lambda one: one["stage"] == "asked")
        async with client(console.service.http, None) as stranger:
            assert (await stranger.get(f"/api/patients/{patient()}")).status_code == 401
            assert (await stranger.get("/api/tasks")).status_code == 401
        looks = (await console.asked("/access-log", Role.AUDITOR))["accesses"]
        assert (looks[0]["what"], looks[0]["subjects"], looks[0]["role"]) == ("timeline", [patient()], "staff")


async def test_each_role_reads_no_more_of_the_events_than_its_work_needs(settings: Settings) -> None:
    reply = ReplyReceived(channel=Channel.SMS, meaning=ReplyMeaning.OTHER, text="My dog is ill", received_at=NOW)
    async with house(settings) as console:
        await console.say(registered(), reported(), reply)
        person = await console.known(1, lambda one: len(one["events"]) == 3)
        assert "Eleanor" not in str([one["content"] for one in person["events"]])
        for role, reads in ((Role.STAFF, True), (Role.CLINICIAN, True), (Role.BILLING, False)):
            async with client(console.service.http, role) as reader:
                page = await reader.get(f"/patients/{patient()}")
            assert ("My dog is ill" in page.text) is reads
