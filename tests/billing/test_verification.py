"""A reported coverage ends in exactly one conclusion, or with the person who can bring it about."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from contracts.billing import (
    CoverageInactive,
    CoverageUndetermined,
    CoverageVerified,
    Owner,
    VerificationNeedsStaff,
    VerificationRequested,
)
from contracts.ids import new_event_id
from contracts.money import Money
from tests.billing.house import NEW_YORK, NOON, VISIT, Settings, booked, house, payers_file, registered, reported
from tests.waiting import eventually

pytestmark = pytest.mark.engines


async def test_an_active_plan_is_verified_for_the_day_of_the_visit(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert (verified.payer, verified.payer_id, verified.service_date) == ("Aetna", "60054", VISIT.date())
        mental_health = next(one for one in verified.benefits if one.service_type == "MH")
        assert mental_health.covered is True
        assert mental_health.copay is not None or mental_health.coinsurance is not None
        assert mental_health.deductible == Money.of("1500")
        (asked,) = await clinic.asked()
        assert asked["outcome"] == "active"
        (requested,) = await clinic.streams.heard(VerificationRequested)
        assert requested.verification_id == verified.verification_id


async def test_the_question_and_the_answer_are_kept_as_evidence(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        one = await clinic.verification("concluded")
        (question,) = await clinic.evidence(one["verification_id"])
        assert question["sent"].startswith("ISA*00*")
        assert f"TRN*1*{question['trace']}*" in question["sent"]
        assert f"TRN*2*{question['trace']}*" in question["answer"]
        assert question["result"] == "active"


async def test_a_coverage_reported_before_the_visit_is_asked_once_about_the_visits_day(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), reported())
        await clinic.say(booked())
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert verified.service_date == VISIT.date()
        assert len(await clinic.asked()) == 1


async def test_without_a_visit_it_is_asked_about_today(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), reported())
        await clinic.streams.heard(VerificationRequested, 0)
        clinic.service.clock.travel(timedelta(minutes=1))
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert verified.service_date == NOON.date()


async def test_a_visit_beyond_the_payers_window_is_asked_about_as_of_today_and_again_when_its_month_begins(
    settings: Settings,
) -> None:
    next_month = datetime(2027, 4, 6, 9, 0, tzinfo=NEW_YORK)
    async with house(settings) as clinic:
        await clinic.say(
            registered("Priya Raman", date(1991, 7, 25)), booked(next_month), reported("Cigna", "U1000000003")
        )
        (first,) = await clinic.streams.heard(CoverageVerified)
        assert first.service_date == NOON.date()
        clinic.service.clock.travel(datetime(2027, 4, 1, 12, tzinfo=NEW_YORK) - clinic.service.clock.now())
        second = (await clinic.streams.heard(CoverageVerified, 2))[-1]
        assert second.service_date == next_month.date()
        assert second.verification_id != first.verification_id
        # Three days before the visit it is asked once more, for what was known then is five days old.
        clinic.service.clock.travel(timedelta(days=3))
        third = (await clinic.streams.heard(CoverageVerified, 3))[-1]
        assert third.service_date == next_month.date()
        clinic.service.clock.travel(timedelta(days=4))
        assert len(await clinic.asked()) == 3


async def test_a_plan_that_has_ended_is_inactive_with_its_last_day(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(
            registered("Daniel Kowalski", date(1968, 1, 30)), booked(), reported("Anthem BCBS Ohio", "JQU100M00004")
        )
        (inactive,) = await clinic.streams.heard(CoverageInactive)
        assert inactive.owner is Owner.PATIENT
        assert inactive.ended_on == date(2025, 6, 30)
        assert not await clinic.streams.heard(VerificationNeedsStaff, 0)


@pytest.mark.parametrize(
    ("name", "born", "payer", "member_id", "cause", "owner"),
    [
        ("Rosa Delgado", date(1995, 5, 8), "Medical Mutual", "100000000005", "aaa_72", Owner.PATIENT),
        ("Thomas Lindqvist", date(1972, 9, 17), "Aetna", "W100000006", "aaa_73", Owner.PATIENT),
        ("Grace Nakamura", date(1988, 12, 1), "UHC", "900000007", "aaa_75", Owner.PATIENT),
        ("Joseph Adeyemi", date(1986, 11, 29), "Cigna", "U1000000016", "no_envelope", Owner.STAFF),
        ("Miguel Santoro", date(1989, 6, 18), "Cigna", "U1000000022", "answer_for_another", Owner.STAFF),
        ("Sylvia Thornton", date(1961, 11, 15), "UHC", "900000025", "question_refused", Owner.STAFF),
        ("Oscar Bellamy", date(1965, 12, 12), "Aetna", "W100000020", "nothing_decisive", Owner.STAFF),
    ],
)
async def test_what_a_person_must_settle_goes_to_a_person_and_is_never_a_no(
    settings: Settings, name: str, born: date, payer: str, member_id: str, cause: str, owner: Owner
) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(name, born), booked(), reported(payer, member_id))
        (undetermined,) = await clinic.streams.heard(CoverageUndetermined)
        assert (undetermined.cause_code, undetermined.owner, undetermined.asking_again_at) == (cause, owner, None)
        (task,) = await clinic.streams.heard(VerificationNeedsStaff)
        assert task.what_to_do
        assert len(await clinic.asked()) == 1
        assert not await clinic.streams.heard(CoverageInactive, 0)


async def test_a_payer_that_is_down_is_asked_again_until_it_answers(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(
            registered("Laura Steinberg", date(1990, 4, 16)), booked(), reported("Medical Mutual", "100000000017")
        )
        (first,) = await clinic.streams.heard(CoverageUndetermined)
        assert (first.cause_code, first.owner) == ("aaa_42", Owner.PAYER)
        assert first.asking_again_at is not None
        clinic.service.clock.travel(timedelta(minutes=2))
        await clinic.streams.heard(CoverageUndetermined, 2)
        clinic.service.clock.travel(timedelta(minutes=6))
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert verified.verification_id == first.verification_id
        assert not await clinic.streams.heard(VerificationNeedsStaff, 0)
        assert (await clinic.verification("concluded"))["questions"] == 3


async def test_a_payer_that_never_answers_ends_with_a_person_after_the_last_try(settings: Settings) -> None:
    async with house(settings, ask_timeout_seconds=0.2) as clinic:
        await clinic.say(registered("Samuel Ortega", date(1976, 6, 11)), booked(), reported("UHC", "900000012"))
        for told in range(1, 7):
            await clinic.streams.heard(CoverageUndetermined, told)
            clinic.service.clock.travel(timedelta(hours=13))
        undetermined = await clinic.streams.heard(CoverageUndetermined, 7)
        assert {one.owner for one in undetermined} == {Owner.PAYER}
        assert undetermined[0].cause_code == "timed_out"
        assert undetermined[-1].asking_again_at is None
        (task,) = await clinic.streams.heard(VerificationNeedsStaff)
        assert "Phone them" in task.what_to_do


async def test_a_payer_nobody_can_tell_is_picked_by_a_person(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported(payer="blue cross"))
        (undetermined,) = await clinic.streams.heard(CoverageUndetermined)
        assert (undetermined.cause_code, undetermined.payer_id, undetermined.payer) == (
            "payer_unknown",
            None,
            "blue cross",
        )
        await clinic.streams.heard(VerificationNeedsStaff)
        assert not await clinic.asked()


async def test_a_childs_card_in_a_parents_name_is_asked_about_as_a_dependent(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(
            registered("Noah Underwood", date(2008, 4, 2)),
            booked(),
            reported("Aetna", "W100000027", holder="Rachel Underwood"),
        )
        await clinic.streams.heard(CoverageVerified)
        one = await clinic.verification("concluded")
        (question,) = await clinic.evidence(one["verification_id"])
        assert "NM1*03*1*UNDERWOOD*NOAH" in question["sent"]


async def test_the_same_report_twice_asks_once_and_a_corrected_number_asks_again(settings: Settings) -> None:
    async with house(settings) as clinic:
        twice = new_event_id()
        await clinic.say(registered(), booked())
        await clinic.streams.say(
            "patient_0198c5f2-0000-7000-8000-000000000001", reported(member_id="W100000099"), id=twice
        )
        await clinic.streams.say(
            "patient_0198c5f2-0000-7000-8000-000000000001", reported(member_id="W100000099"), id=twice
        )
        await clinic.say(reported(member_id="W100000099"))
        (undetermined,) = await clinic.streams.heard(CoverageUndetermined)
        assert undetermined.cause_code == "aaa_75"
        await clinic.say(reported())
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert verified.coverage_id == undetermined.coverage_id
        assert len(await clinic.asked()) == 2


async def test_the_same_card_in_other_words_asks_nothing_twice_that_day(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported("Aetna", "W100000001"))
        await clinic.streams.heard(CoverageVerified)
        await clinic.say(reported("AETNA, Inc.", "W1000 00001"))
        await clinic.say(registered("Grace Nakamura", date(1988, 12, 1)), patient="patient_2")
        await clinic.say(reported("UHC", "900000007", id="coverage_2"), patient="patient_2")
        await clinic.streams.heard(CoverageUndetermined)
        assert len(await clinic.asked()) == 2
        assert (await clinic.coverages())[0]["payer_stated"] == "AETNA, Inc."
        clinic.service.clock.travel(timedelta(days=1))
        await clinic.say(reported("Aetna", "W100000001"))
        await clinic.streams.heard(CoverageVerified, 2)


async def test_a_question_that_was_superseded_while_it_waited_its_turn_is_never_asked(
    settings: Settings, tmp_path: Path
) -> None:
    one_at_a_time = payers_file(tmp_path, lambda _: {"at_once": 1})
    async with house(settings, ask_timeout_seconds=10, payers_file=one_at_a_time) as clinic:
        await clinic.behave("aetna", state="slow", seconds=2)
        await clinic.say(registered(), booked(id="appointment_2"), reported(id="coverage_2"), patient="patient_2")

        async def begun() -> bool:
            return len(await clinic.asked()) == 1

        await eventually(begun)
        await clinic.say(registered(), booked(), reported(member_id="W100000099"))
        await clinic.verification("asking")
        await clinic.say(reported(member_id="W100000001"))
        await clinic.streams.heard(CoverageVerified, 2)
        assert len(await clinic.asked()) == 2


async def test_one_payers_outage_slows_no_other(settings: Settings) -> None:
    async with house(settings, ask_timeout_seconds=20) as clinic:
        await clinic.behave("uhc", state="hanging")
        for number in range(12):
            patient = f"patient_0198c5f2-0000-7000-8000-0000000001{number:02}"
            await clinic.say(registered("Marcus Okafor", date(1979, 11, 2)), patient=patient)
            await clinic.say(booked(id=f"a{number}"), patient=patient)
            await clinic.say(reported("UHC", "900000002", id=f"coverage_u{number}"), patient=patient)
        await clinic.say(registered(), booked(), reported())
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert verified.payer == "Aetna"
        await clinic.outside.post("/control/heal")


async def test_a_payer_whose_system_is_closed_is_asked_when_it_opens_and_by_force_at_once(
    settings: Settings, tmp_path: Path
) -> None:
    night = datetime(2027, 3, 7, 1, 30, tzinfo=NEW_YORK)
    async with house(settings, now=night, payers_file=closed_on_sunday_mornings(tmp_path)) as clinic:
        await clinic.say(registered(), booked(), reported())
        (waits,) = await clinic.streams.heard(CoverageUndetermined)
        assert (waits.cause_code, waits.owner) == ("payer_closed", Owner.PAYER)
        assert waits.asking_again_at == datetime(2027, 3, 7, 5, 0, tzinfo=NEW_YORK)
        assert await clinic.asked() == []
        clinic.service.clock.travel(timedelta(hours=4))
        await clinic.streams.heard(CoverageVerified)
        assert len(await clinic.asked()) == 1


def closed_on_sunday_mornings(folder: Path) -> Path:
    return payers_file(folder, lambda _: {"closed": [{"day": "sunday", "from": "01:00", "until": "05:00"}]})
