"""The gateway's modes for load: everybody at once, or misbehaviour in known shares that a test can look up."""

from __future__ import annotations

import asyncio
from collections import Counter

from billing.x12 import status
from sandbox.payer.catalogue import catalogue
from tests.sandbox.outside import NOW, Outside, named, outside, stranger
from tests.waiting import eventually


async def scenarios(world: Outside, people: range) -> dict[str, str]:
    """How the mix treats so many strangers, by member number."""
    (await world.http.delete("/control/payer/questions")).raise_for_status()
    asking = [asyncio.create_task(world.ask(stranger(number), seconds=30)) for number in people]

    async def all_asked() -> bool:
        return (await world.questions(limit=1))["asked"] == len(people)

    await eventually(all_asked)
    for waiting in asking:  # some of them for ever
        waiting.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    record = await world.questions(limit=20_000)
    return {question["member_id"]: question["scenario"] for question in record["questions"]}


async def test_at_once_whoever_is_asked_about_is_active() -> None:
    async with outside() as world:
        await world.answer_for("instant")
        for member in (stranger(), named("not_found"), named("silent")):
            coverage = (await world.ask(member)).coverage
            assert status(coverage, NOW.date()).answer == "active"
            assert coverage.subscriber and coverage.subscriber.id == member.member_id
        await world.answer_for("members")
        assert [r.code for r in (await world.ask(stranger())).coverage.rejections] == ["75"]


async def test_a_payer_hangs_on_request_even_where_everybody_is_answered_at_once() -> None:
    async with outside() as world:
        await world.answer_for("instant")
        await world.behave("aetna", state="broken", status=503)
        assert (await world.ask(stranger())).status == 503
        assert (await world.ask(named("covered_hmo"))).status == 200


async def test_a_mix_gives_each_misbehaviour_its_share_and_says_who_got_which() -> None:
    async with outside() as world:
        await world.answer_for("mix", seed=7, share=0.05)
        drawn = await scenarios(world, range(200))
        assert len(drawn) == 200
        shares = Counter(drawn.values())
        assert set(shares) == {*catalogue().mix, "covered"}
        for name in catalogue().mix:
            assert 1 <= shares[name] <= 25, (name, shares[name])


async def test_the_same_seed_treats_the_same_people_alike_and_another_does_not() -> None:
    async with outside() as world:
        mixes = []
        for seed in (7, 7, 8):
            await world.answer_for("mix", seed=seed, scenarios=["not_found", "inactive", "twice"], share=0.3)
            mixes.append(await scenarios(world, range(60)))
        assert mixes[0] == mixes[1] != mixes[2]


async def test_what_passes_passes_for_each_member_by_themselves() -> None:
    async with outside() as world:
        await world.answer_for("mix", scenarios=["unavailable_once"], share=1)
        for number in (1, 2):
            assert [(await world.ask(stranger(number))).status for _ in range(3)] == [503, 200, 200]


async def test_a_mix_that_cannot_be_drawn_from_is_refused_in_words() -> None:
    async with outside() as world:
        too_much = await world.http.put("/control/payer/mode", json={"mode": "mix", "share": 0.5})
        assert (too_much.status_code, "more than all" in too_much.text) == (422, True)
        unknown = await world.http.put("/control/payer/mode", json={"mode": "mix", "scenarios": ["mystery"]})
        assert (unknown.status_code, "mystery" in unknown.text) == (422, True)
        assert (await world.http.get("/control/payer/mode")).json()["mode"] == "members"
