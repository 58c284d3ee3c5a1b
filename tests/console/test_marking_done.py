"""What no service will tell of is marked as done by a person: once, by name, and never more than they saw."""

import asyncio

import pytest

from chassis.http import Role
from tests.chassis.front_desk import client
from tests.console.house import Settings, failed, flagged, house, inactive, patient, registered, reported, submitted
from tests.console.rebuilding import forget_all, from_the_beginning

pytestmark = pytest.mark.engines


async def test_whoever_reached_somebody_says_so_and_is_named(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), failed())
        person = await console.known(1, lambda one: len(one["events"]) == 3)
        task = next(one for one in person["tasks"] if one["kind"] == "message_failed")
        assert (await console.mark_done(task)).json()["by"] == "Nell Carver"
        after = await console.known(1, lambda _: True)
        assert "message_failed" not in [one["kind"] for one in after["tasks"]]
        assert [(one["kind"], one["by"]) for one in after["done"]] == [("message_failed", "Nell Carver")]
        assert (await console.asked("/api/tasks"))["tasks"] == []
        looks = (await console.asked("/access-log", Role.AUDITOR))["accesses"]
        assert ("task_done", [patient()], "Nell Carver") in [
            (one["what"], one["subjects"], one["actor"]) for one in looks
        ]


async def test_of_two_at_once_the_first_did_it_and_both_hear_so(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), failed())
        person = await console.known(1, lambda one: len(one["events"]) == 3)
        task = next(one for one in person["tasks"] if one["kind"] == "message_failed")
        answers = await asyncio.gather(*(console.mark_done(task, actor) for actor in ("Nell", "Omar", "Nell")))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert len({answer.json()["by"] for answer in answers}) == 1
        assert len((await console.known(1, lambda _: True))["done"]) == 1


async def test_what_came_after_the_look_is_not_done_with_it(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), failed(1))
        person = await console.known(1, lambda one: len(one["events"]) == 3)
        seen = next(one for one in person["tasks"] if one["kind"] == "message_failed")
        await console.say(failed(2))
        await console.known(1, lambda one: len(one["events"]) == 4)
        answer = await console.mark_done(seen)
        assert (answer.status_code, answer.json()["title"]) == (409, "There is more to it now")


async def test_another_failure_asks_for_somebody_again(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), failed(1))
        person = await console.known(1, lambda one: len(one["events"]) == 3)
        await console.mark_done(next(one for one in person["tasks"] if one["kind"] == "message_failed"))
        await console.say(failed(2))
        again = await console.known(1, lambda one: "message_failed" in [task["kind"] for task in one["tasks"]])
        assert len(again["done"]) == 1


async def test_nobody_is_out_of_danger_by_a_click(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), flagged())
        person = await console.known(1, lambda one: one["in_danger"] is not None)
        danger = next(one for one in person["tasks"] if one["kind"] == "in_danger")
        assert danger["by_hand"] is False
        answer = await console.mark_done(danger)
        assert (answer.status_code, answer.json()["title"]) == (409, "Not by hand")
        assert (await console.known(1, lambda _: True))["in_danger"] is not None
        async with client(console.service.http, Role.STAFF) as reader:
            assert (await reader.post("/api/tasks/999999/done", json={"version": "0" * 16})).status_code == 404
            refused = await reader.post(f"/api/tasks/{danger['id']}/done", json={"version": "x"})
            assert refused.status_code == 422


async def test_what_was_done_stays_done_when_all_is_built_again(settings: Settings) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), inactive(), failed())
        person = await console.known(1, lambda one: len(one["events"]) == 5)
        for kind in ("message_failed", "coverage_inactive"):
            await console.mark_done(next(one for one in person["tasks"] if one["kind"] == kind))
        before = await console.known(1, lambda one: len(one["done"]) == 2)
        await forget_all(console)
    await from_the_beginning(console)
    async with house(settings) as again:
        after = await again.known(1, lambda one: len(one["events"]) == 5)
        assert after["done"] == before["done"]
        assert [one["kind"] for one in after["tasks"]] == [one["kind"] for one in before["tasks"]]
