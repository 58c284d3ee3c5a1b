"""People are told about their insurance once it is concluded, or once it is clear that it will not be."""

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.billing import (
    Benefit,
    CoverageInactive,
    CoverageUndetermined,
    CoverageVerified,
    Owner,
    VerificationNeedsStaff,
)
from contracts.ids import CoverageId, IntakeId, VerificationId
from contracts.intake import CardField, CardOutcome, CardRead, CoverageReported, Insured
from contracts.money import Money
from contracts.notify import MessageFailed, MessageSent
from tests.notify.house import NOON, Settings, booked, house, registered, submitted
from tests.waiting import eventually

pytestmark = pytest.mark.engines

ASKED: dict[str, Any] = {
    "verification_id": VerificationId("verification_1"),
    "coverage_id": CoverageId("coverage_1"),
    "payer": "Acme Health",
    "service_date": date(2027, 3, 4),
}
ANSWERED: dict[str, Any] = {**ASKED, "payer_id": "ACME", "answered_at": NOON}
SILENT = CoverageUndetermined(
    **ASKED, cause_code="no_answer", cause="…", owner=Owner.PAYER, asking_again_at=NOON + timedelta(minutes=5)
)
CARD_IN_PART = CardRead(
    intake_id=IntakeId("intake_1"),
    outcome=CardOutcome.READ,
    fields=(CardField(name="member_id", value="XYZ123456", confidence=0.9),),
)
REPORTED = CoverageReported(coverage_id=CoverageId("coverage_1"), payer="Acme Health", member_id="X1", source="typed")


async def test_a_payer_that_is_silent_and_then_answers_is_told_of_twice_and_no_more(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), submitted(), REPORTED, SILENT, SILENT)
        (letter,) = await clinic.letters(1)
        assert letter["subject"] == "About your visit to Stillwater Clinic: insurance and cost"
        assert "Acme Health has not answered our question about your plan yet. We keep asking" in letter["text"]
        benefit = Benefit(service_type="MH", covered=True, copay=Money.of("25"))
        verified = CoverageVerified(**ANSWERED, plan="PPO", benefits=(benefit,))
        await clinic.say(booked(), SILENT, verified, verified)
        letters = await clinic.letters(3)
        (told,) = [one["text"] for one in letters[1:] if "insurance" in one["subject"]]
        assert "your plan (PPO) is active on Thursday, March 4, 2027" in told
        assert "$25.00 for each visit (copay)" in told
        sent = await clinic.streams.heard(MessageSent, 3)
        assert sorted(one.purpose for one in sent) == [
            "appointment_booked:appointment_1:1",
            "coverage:coverage_1:1",
            "coverage:coverage_1:2",
        ]
        await clinic.fates(
            ("appointment_booked", "email", "sent"),
            ("coverage_undetermined", "email", "sent"),
            ("coverage_active", "email", "sent"),
        )


async def test_an_inactive_plan_is_told_with_what_to_do(settings: Settings) -> None:
    async with house(settings) as clinic:
        ended = CoverageInactive(**ANSWERED, cause="…", ended_on=date(2026, 12, 31))
        await clinic.say(registered(), submitted(), ended)
        (letter,) = await clinic.letters(1)
        assert "is not active on Thursday, March 4, 2027: it ended on Thursday, December 31, 2026." in letter["text"]
        assert "talk to us about paying yourself" in letter["text"]


async def test_an_answer_that_comes_while_the_mail_waits_is_what_the_mail_says(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.behave("mailbox", state="deferring")
        await clinic.say(registered(), submitted(), SILENT)
        await clinic.fates(("coverage_undetermined", "email", "decided"))
        await clinic.say(CoverageVerified(**ANSWERED))
        await clinic.fates(("coverage_undetermined", "email", "decided"), ("coverage_active", "email", "decided"))
        await clinic.behave("mailbox", state="healthy")
        await clinic.fates(("coverage_undetermined", "email", "superseded"), ("coverage_active", "email", "sent"))
        (letter,) = await clinic.letters(1)
        assert "is active" in letter["text"]
        assert "$" not in letter["text"]


async def test_those_without_insurance_a_card_or_a_readable_one_are_told_so(settings: Settings) -> None:
    async with house(settings) as clinic:
        unreadable = CardRead(intake_id=IntakeId("intake_1"), outcome=CardOutcome.UNREADABLE)
        people = {
            "uninsured": (submitted(insured=Insured.NO, coverage_typed=False),),
            "cardless": (submitted(intake_id=IntakeId("intake_2"), coverage_typed=False),),
            "unread": (
                submitted(intake_id=IntakeId("intake_3"), coverage_typed=False, card_received=True),
                unreadable,
            ),
        }
        for name, events in people.items():
            await clinic.say(registered(email=f"{name}@example.com"), *events, patient=f"patient_{name}")
        told = {name: (await clinic.letters(1, to=f"{name}@example.com"))[0]["text"] for name in people}
        assert "You told us that you have no insurance." in told["uninsured"]
        assert "We do not have the number of your insurance yet" in told["cardless"]
        assert "We could not read what we need from the photos" in told["unread"]
        assert not any("$" in text for text in told.values())


async def test_a_card_read_in_part_counts_as_unreadable_only_when_nothing_comes_of_it(settings: Settings) -> None:
    async with house(settings) as clinic:
        form = submitted(coverage_typed=False, card_received=True)
        await clinic.say(registered(email="a@example.com"), form, CARD_IN_PART, patient="patient_a")
        other = submitted(intake_id=IntakeId("intake_2"), coverage_typed=False, card_received=True)
        await clinic.say(registered(email="b@example.com"), other, CARD_IN_PART, REPORTED, patient="patient_b")

        async def timers() -> int:
            async with clinic.service.database.connection() as connection:
                return await connection.fetchval("SELECT count(*) FROM timer")

        async def both_wait() -> bool:
            return await timers() == 2

        await eventually(both_wait)
        clinic.service.clock.travel(timedelta(seconds=61))
        (letter,) = await clinic.letters(1, to="a@example.com")
        assert "We could not read what we need" in letter["text"]

        async def none_waits() -> bool:
            return await timers() == 0

        await eventually(none_waits)
        assert clinic.world.mailbox.letters.accepted == 1


async def test_what_billing_leaves_to_a_person_is_told_as_being_found_out(settings: Settings) -> None:
    async with house(settings) as clinic:
        needs = VerificationNeedsStaff(
            verification_id=VerificationId("verification_1"),
            coverage_id=CoverageId("coverage_1"),
            cause_code="payer_unknown",
            what_to_do="Pick the payer.",
        )
        await clinic.say(registered(), submitted(), REPORTED, needs)
        (letter,) = await clinic.letters(1)
        assert "We do not know yet what Acme Health says about your plan. One of us is finding out" in letter["text"]
        assert "Pick the payer" not in letter["text"]


async def test_insurance_news_for_somebody_without_an_address_is_left_to_staff(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(email=None), submitted(), CoverageVerified(**ANSWERED))
        (failed,) = await clinic.streams.heard(MessageFailed)
        assert (failed.template, failed.cause) == ("coverage_active", "no_channel")
