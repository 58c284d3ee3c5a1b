"""Payers that are slow, silent, broken or wrong: by member, and on request by payer."""

from __future__ import annotations

import time

import httpx
import pytest

from billing.x12 import status
from sandbox.payer.catalogue import Member
from tests.sandbox.outside import NOW, Outside, named, outside


async def outcome(world: Outside, member: Member, *, patience: float = 10) -> str:
    """What an asker makes of it who waits for so many seconds."""
    try:
        answered = await world.ask(member, seconds=patience)
    except httpx.ReadTimeout:
        return "silence"
    except httpx.RemoteProtocolError:
        return "cut off"
    if answered.status != 200:
        return f"HTTP {answered.status}"
    if "Payload" not in answered.fields:
        return "garbage"
    coverage = answered.coverage
    return ", ".join(f"AAA {r.code}" for r in coverage.rejections) or status(coverage, NOW.date()).answer


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("silent", ["silence", "silence"]),
        ("slow", ["silence"]),
        ("broken", ["HTTP 500", "HTTP 500"]),
        ("unavailable", ["HTTP 503", "HTTP 503"]),
        ("throttled", ["HTTP 429", "active", "active"]),
        ("cut_off", ["cut off", "cut off"]),
        ("garbage", ["garbage", "garbage"]),
        ("recovers", ["AAA 42", "AAA 42", "active", "active"]),
    ],
)
async def test_a_member_whose_payer_fails_them(scenario: str, expected: list[str]) -> None:
    async with outside() as world:
        patience = 0.5 if "silence" in expected else 10
        assert [await outcome(world, named(scenario), patience=patience) for _ in expected] == expected
        assert await outcome(world, named("covered")) == "active"


@pytest.mark.parametrize(
    ("conduct", "expected"),
    [
        ({"state": "hanging"}, "silence"),
        ({"state": "slow", "seconds": 60}, "silence"),
        ({"state": "broken", "status": 502}, "HTTP 502"),
        ({"state": "cut_off"}, "cut off"),
        ({"state": "garbage"}, "garbage"),
        ({"state": "refusing"}, "AAA 42"),
    ],
)
async def test_one_payer_fails_on_request_while_the_others_answer(conduct: dict[str, object], expected: str) -> None:
    async with outside() as world:
        await world.behave("aetna", **conduct)
        patience = 0.5 if expected == "silence" else 10
        assert await outcome(world, named("covered"), patience=patience) == expected
        assert await outcome(world, named("covered_hmo")) == "active"
        (await world.http.delete("/control/payers")).raise_for_status()
        assert await outcome(world, named("covered")) == "active"


async def test_an_outage_of_so_many_questions_ends_by_itself() -> None:
    async with outside() as world:
        await world.behave("60054", state="broken", status=503, times=2)
        assert [await outcome(world, named("covered")) for _ in range(3)] == ["HTTP 503", "HTTP 503", "active"]


async def test_a_slow_payer_answers_when_its_time_is_over() -> None:
    async with outside() as world:
        await world.behave("aetna", state="slow", seconds=0.2)
        began = time.perf_counter()
        assert await outcome(world, named("covered")) == "active"
        assert time.perf_counter() - began >= 0.2


async def test_a_hanging_payer_does_not_keep_the_sandbox_from_ending() -> None:
    began = time.perf_counter()
    async with outside() as world:
        await world.behave("aetna", state="hanging")
        assert await outcome(world, named("covered"), patience=0.5) == "silence"
    assert time.perf_counter() - began < 5


async def test_an_answer_for_somebody_else_carries_our_trace_and_their_name() -> None:
    async with outside() as world:
        asked = named("other_patient")
        coverage = (await world.ask(asked, trace="MINE")).coverage
        assert [trace.number for trace in coverage.traces] == ["MINE"]
        assert coverage.subscriber and coverage.subscriber.id != asked.member_id
        assert status(coverage, NOW.date()).answer == "active"


async def test_an_interchange_that_ends_under_another_number() -> None:
    async with outside() as world:
        [interchange] = (await world.ask(named("wrong_control_number"))).file.interchanges
        assert [problem.code for problem in interchange.problems] == ["control_number_mismatch"]


async def test_the_same_answer_twice_in_one_payload() -> None:
    async with outside() as world:
        first, second = (await world.ask(named("twice"))).file.interchanges
        assert first.control_number == second.control_number
        assert len(first.transactions) == len(second.transactions) == 1


async def test_the_first_answer_again_for_every_later_question() -> None:
    async with outside() as world:
        answers = [await world.ask(named("replayed"), trace=trace) for trace in ("FIRST", "SECOND", "THIRD")]
        assert len({answer.payload for answer in answers}) == 1
        assert [trace.number for trace in answers[2].coverage.traces] == ["FIRST"]


async def test_a_question_that_the_payers_system_rejects_as_such() -> None:
    async with outside() as world:
        answered = await world.ask(named("refused_999"))
        assert answered.fields["PayloadType"] == "X12_999_Response_005010X231A1"
        [interchange] = answered.file.interchanges
        [acknowledgement] = interchange.transactions[0].acknowledgements
        [transaction] = acknowledgement.transactions
        [error] = transaction.errors
        assert (transaction.status, error.segment_id, error.ordinal) == ("R", "EQ", "11")


async def test_every_question_is_remembered_with_what_became_of_it() -> None:
    async with outside() as world:
        for scenario in ("covered", "not_found", "garbage", "cut_off"):
            await outcome(world, named(scenario))
        record = await world.questions(limit=2)
        assert record["asked"] == 4
        assert record["by_outcome"] == {"active": 2, "AAA 75": 1, "garbage": 1}
        assert [(q["number"], q["scenario"]) for q in record["questions"]] == [(4, "cut_off"), (3, "garbage")]
        older = await world.questions(before=3)
        assert [q["scenario"] for q in older["questions"]] == ["not_found", "covered"]
        (await world.http.delete("/control/payer/questions")).raise_for_status()
        assert (await world.questions())["asked"] == 0
