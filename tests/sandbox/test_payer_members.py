"""Every named member is answered as the catalogue says, over HTTP, in answers that the clinic's reader can read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.x12 import status
from billing.x12.records import Benefit, Coverage
from sandbox.payer.catalogue import catalogue
from tests.sandbox.outside import NOW, named, outside, stranger

ACTIVE = (
    *("covered", "covered_hmo", "family", "visits_nearly_used", "authorization_required", "carved_out"),
    *("medicare_secondary", "conflicting_deductibles"),
)
REJECTED = {
    "not_authorized": ("2100B", "41", "never"),
    "provider_unknown": ("2100B", "43", "after_correction"),
    "birth_date_missing": ("2100C", "58", "after_correction"),
    "date_in_the_past": ("2100C", "62", "after_correction"),
    "birth_date_differs": ("2100C", "71", "after_correction"),
    "member_number_wrong": ("2100C", "72", "after_correction"),
    "name_differs": ("2100C", "73", "after_correction"),
    "not_found": ("2100C", "75", "after_correction"),
    "duplicate_member": ("2100C", "76", "after_correction"),
    "payer_down": ("2100A", "42", "later"),
    "no_response": ("2100A", "80", "later"),
}


def benefits(coverage: Coverage, **wanted: Any) -> list[Benefit]:
    return [b for b in coverage.benefits if all(getattr(b, name) == value for name, value in wanted.items())]


def about(coverage: Coverage, kind: str, service_type: str) -> list[Benefit]:
    return [benefit for benefit in benefits(coverage, kind=kind) if service_type in benefit.service_types]


def test_every_scenario_but_the_passing_ones_has_a_named_member() -> None:
    shown = {member.scenario for member in catalogue().members}
    assert {name for name in catalogue().scenarios if not name.endswith("_once")} == shown
    assert len(shown) >= 20
    numbers = [(member.payer, member.member_id) for member in catalogue().members]
    assert len(numbers) == len(set(numbers))


async def test_the_active_are_active_and_the_one_whose_coverage_ended_is_not() -> None:
    async with outside() as world:
        for scenario in ACTIVE:
            coverage = (await world.ask(named(scenario), trace=f"T-{scenario.upper()}")).coverage
            assert status(coverage, NOW.date()).answer == "active", scenario
            assert [trace.number for trace in coverage.traces] == [f"T-{scenario.upper()}"]
            assert coverage.subscriber and coverage.subscriber.id == named(scenario).member_id
        ended = (await world.ask(named("inactive"))).coverage
        assert status(ended, NOW.date()).answer == "inactive"


@pytest.mark.parametrize("scenario", REJECTED)
async def test_a_question_is_rejected_in_its_loop_with_its_code(scenario: str) -> None:
    loop, code, retry = REJECTED[scenario]
    async with outside() as world:
        coverage = (await world.ask(named(scenario))).coverage
        [rejection] = coverage.rejections
        assert (rejection.loop, rejection.code, rejection.retry) == (loop, code, retry)
        assert not coverage.benefits
        assert (coverage.subscriber is None) == (loop in ("2100A", "2100B"))


async def test_what_a_plan_says_of_mental_health_is_there_to_be_read() -> None:
    async with outside() as world:
        [carved] = benefits((await world.ask(named("carved_out"))).coverage, kind="U")
        assert "MH" in carved.service_types
        assert next(iter(carved.entities)).last == "OPTUM BEHAVIORAL HEALTH"
        guarded = about((await world.ask(named("authorization_required"))).coverage, "A", "MH")
        assert [(benefit.authorization, benefit.percent) for benefit in guarded] == [("Y", "0.1")]
        nearly = (await world.ask(named("visits_nearly_used"))).coverage
        assert [(b.quantity_unit, b.quantity) for b in benefits(nearly, kind="F", period="29")] == [("VS", "1")]


async def test_dental_alone_is_no_answer_and_two_deductibles_are_both_said() -> None:
    async with outside() as world:
        dental = (await world.ask(named("dental_only"))).coverage
        assert status(dental, NOW.date()).answer == "undetermined"
        assert [benefit.service_types for benefit in benefits(dental, kind="1")] == [("35",)]
        unsure = (await world.ask(named("conflicting_deductibles"))).coverage
        assert [b.amount for b in benefits(unsure, kind="C", period="23")] == ["1000.00", "2500.00"]


async def test_medicare_pays_before_the_retiree_plan() -> None:
    async with outside() as world:
        [other] = benefits((await world.ask(named("medicare_secondary"))).coverage, kind="R")
        assert (other.insurance_type, next(iter(other.entities)).role) == ("MB", "PRP")


async def test_children_are_covered_under_their_mother_and_strangers_are_not() -> None:
    async with outside() as world:
        mother = named("family")
        for child in mother.dependents:
            coverage = (await world.ask(mother, dependent=child)).coverage
            assert (coverage.relation, status(coverage, NOW.date()).answer) == ("dependent", "active")
            assert coverage.patient and coverage.patient.birth_date == child.born
        other = mother.dependents[0].model_copy(update={"first": "Zoe"})
        [rejection] = (await world.ask(mother, dependent=other)).coverage.rejections
        assert (rejection.loop, rejection.code) == ("2100D", "67")


async def test_a_question_must_agree_with_the_payers_record() -> None:
    """The same member is rejected for what differs and answered for what merely looks different."""
    member = named("covered")
    differing: tuple[tuple[dict[str, Any], str], ...] = (
        ({"born": member.born + timedelta(days=1)}, "71"),
        ({"born": None}, "58"),
        ({"last": "Marlowe"}, "73"),
        ({"first": "Zoe"}, "73"),
        ({"member_id": "W199999999"}, "75"),
        ({"member_id": "W1"}, "72"),
    )
    async with outside() as world:
        for change, code in differing:
            [rejection] = (await world.ask(member, **change)).coverage.rejections
            assert rejection.code == code, change
        alike = (await world.ask(member, last="whit-field jr", first="E", member_id="w100000001")).coverage
        assert status(alike, NOW.date()).answer == "active"


async def test_a_payer_answers_so_far_ahead_and_no_further() -> None:
    member = named("covered")
    async with outside() as world:
        last = NOW.date() + timedelta(days=90)
        assert status((await world.ask(member, service_date=last)).coverage, last).answer == "active"
        for days, code in ((91, "63"), (-366, "62")):
            far = (await world.ask(member, service_date=NOW.date() + timedelta(days=days))).coverage
            assert [rejection.code for rejection in far.rejections] == [code]


async def test_a_clinic_in_another_year_is_answered_in_that_year() -> None:
    then = NOW + timedelta(days=800)
    async with outside() as world:
        answered = await world.ask(named("covered"), at=then, service_date=then.date())
        assert answered.coverage.answered == then.date()
        assert status(answered.coverage, then.date()).answer == "active"


async def test_a_payer_that_nobody_knows_is_said_to_be_unknown() -> None:
    async with outside() as world:
        nobody = catalogue().payers["aetna"].model_copy(update={"id": "99999", "name": "Nobody Mutual"})
        [rejection] = (await world.ask(named("covered"), payer=nobody)).coverage.rejections
        assert (rejection.loop, rejection.code) == ("2100A", "T4")


async def test_what_is_left_is_never_more_than_there_was() -> None:
    async with outside() as world:
        coverage = (await world.ask(named("covered"))).coverage
        [whole] = benefits(coverage, kind="C", period="23", network="Y")
        [left] = benefits(coverage, kind="C", period="29")
        assert Decimal(0) <= Decimal(left.amount or "-1") <= Decimal(whole.amount or "0")
        again = (await world.ask(named("covered"))).coverage
        assert [benefit.amount for benefit in again.benefits] == [benefit.amount for benefit in coverage.benefits]


async def test_somebody_registered_while_it_runs_is_answered_for() -> None:
    newcomer = stranger()
    async with outside() as world:
        [rejection] = (await world.ask(newcomer)).coverage.rejections
        assert rejection.code == "75"
        (await world.http.post("/control/members", json=newcomer.model_dump(mode="json"))).raise_for_status()
        assert status((await world.ask(newcomer)).coverage, NOW.date()).answer == "active"
        unknown = newcomer.model_dump(mode="json") | {"scenario": "mysterious"}
        refused = await world.http.post("/control/members", json=unknown)
        assert refused.status_code == 422
        assert "mysterious" in refused.text


async def test_the_same_question_twice_is_two_questions() -> None:
    async with outside() as world:
        for _ in range(2):
            assert (await world.ask(named("covered"), trace="SAME")).coverage.benefits
        kept = (await world.questions(member_id=named("covered").member_id))["questions"]
        assert [question["trace"] for question in kept] == ["SAME", "SAME"]
