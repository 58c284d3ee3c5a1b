"""Plans turn with months and years: what was answered before a turn does not stand for a visit after it."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from billing.clinic import load_clinic
from billing.payers.directory import Payer
from billing.verification.model import Reason, State, Verification, turn_check_at, visit_check_at
from contracts.billing import CoverageUndetermined, CoverageVerified
from contracts.ids import CoverageId, new_verification_id
from tests.billing.house import NEW_YORK, Settings, booked, house, registered, reported

CLINIC = load_clinic()
AHEAD, MONTH_ONLY = (
    Payer(id="payer", name="A payer", answers_ahead=365),
    Payer(id="payer", name="A payer", answers_ahead="end_of_month"),
)
DAYS = {days: Payer(id="payer", name="A payer", answers_ahead=days) for days in (0, 2, 10)}


def at(month: int, day: int, hour: int = 9, minute: int = 0, year: int = 2027) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK)


def asked(on: datetime, about: date, **ends: date) -> Verification:
    one = Verification(
        id=new_verification_id(),
        coverage_id=CoverageId("coverage_1"),
        patient_id="patient_1",
        payer_id="payer",
        payer="A payer",
        service_date=about,
        service_types=("30",),
        reason=Reason.VISIT,
        state=State.CONCLUDED,
        requested_at=on,
    )
    return replace(one, **ends)


@pytest.mark.parametrize(
    ("visit", "last", "payer", "expected"),
    [
        # The same month, nothing turns: three days before the visit, unless asked since.
        (at(3, 20), asked(at(3, 2), date(2027, 3, 20)), AHEAD, at(3, 17)),
        (at(3, 20), asked(at(3, 18), date(2027, 3, 20)), AHEAD, None),
        (at(3, 20), asked(at(3, 17, 8), date(2027, 3, 20)), AHEAD, None),  # that same day is soon enough
        (at(3, 20), asked(at(3, 2), date(2027, 3, 2)), AHEAD, at(3, 17)),
        # The payer answers ten days ahead: as the visit's day comes inside that, unless that was so already.
        (at(3, 20), asked(at(3, 2), date(2027, 3, 2)), DAYS[10], at(3, 10, 0, 5)),
        (at(3, 20), asked(at(3, 10, 8), date(2027, 3, 20)), DAYS[10], at(3, 17)),
        # Two days ahead: before the visit's own day can be asked about, the day of asking will have to do.
        (at(3, 20), asked(at(3, 2), date(2027, 3, 2)), DAYS[2], at(3, 17)),
        (at(3, 20), asked(at(3, 17), date(2027, 3, 17)), DAYS[2], at(3, 18, 0, 5)),
        (at(3, 20), asked(at(3, 18, 1), date(2027, 3, 20)), DAYS[2], None),
        (at(3, 20), asked(at(3, 17), date(2027, 3, 17)), DAYS[0], at(3, 20, 0, 5)),
        # Another month: as soon as the payer answers about it.
        (at(4, 20), asked(at(3, 2), date(2027, 3, 2)), MONTH_ONLY, at(4, 1, 0, 5)),
        (at(4, 20), asked(at(3, 2), date(2027, 3, 2)), AHEAD, at(3, 2, 12)),
        (at(3, 20, year=2028), asked(at(3, 2), date(2027, 3, 20)), AHEAD, at(3, 21, 0, 5)),
        # The visit is within three days of the turn of the month: not before the turn.
        (at(4, 2), asked(at(3, 2), date(2027, 4, 2)), AHEAD, at(4, 1, 0, 5)),
        (at(4, 2), asked(at(4, 1, 0, 1), date(2027, 4, 2)), AHEAD, None),
        # The plan ends in the middle of the month, or its year does, and the question was about a day before that.
        (at(3, 20), asked(at(3, 2), date(2027, 3, 2), plan_ends=date(2027, 3, 15)), AHEAD, at(3, 2, 12)),
        (at(3, 20), asked(at(3, 2), date(2027, 3, 2), benefit_year_ends=date(2027, 3, 15)), AHEAD, at(3, 2, 12)),
        (at(3, 15), asked(at(3, 2), date(2027, 3, 2), plan_ends=date(2027, 3, 15)), AHEAD, at(3, 12)),
        # It was about the visit's day, but a forecast: the year has not turned yet.
        (at(1, 2, year=2028), asked(at(3, 2), date(2028, 1, 2)), AHEAD, at(1, 1, 0, 5, year=2028)),
        # It had ended before the day asked about: there is nothing left to turn.
        (at(3, 20), asked(at(3, 2), date(2027, 3, 2), plan_ends=date(2026, 12, 31)), AHEAD, at(3, 17)),
        # The visit has begun.
        (at(3, 2, 11), asked(at(1, 2), date(2027, 1, 2)), AHEAD, None),
    ],
)
def test_when_to_ask_again_for_a_visit(
    visit: datetime, last: Verification, payer: Payer, expected: datetime | None
) -> None:
    assert visit_check_at(visit, at(3, 2, 12), payer, CLINIC, last) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (asked(at(3, 2), date(2027, 3, 2)), at(4, 1, 0, 5)),
        (asked(at(12, 31), date(2027, 12, 31)), at(1, 1, 0, 5, year=2028)),
        (asked(at(3, 2), date(2027, 3, 2), plan_ends=date(2027, 3, 15)), at(3, 16, 0, 5)),
        (asked(at(3, 2), date(2027, 3, 2), plan_ends=date(2027, 9, 15)), at(4, 1, 0, 5)),
        (asked(at(3, 2), date(2027, 3, 2), benefit_year_ends=date(2027, 3, 2)), at(3, 3, 0, 5)),
    ],
)
def test_what_was_asked_need_not_hold_after_the_turn_of_a_month_a_plan_or_its_year(
    last: Verification, expected: datetime
) -> None:
    assert turn_check_at(last, CLINIC) == expected


@pytest.mark.engines
async def test_somebody_in_care_is_asked_about_at_the_turn_of_a_month_without_any_visit_ahead(
    settings: Settings,
) -> None:
    async with house(settings, at(3, 29)) as clinic:
        await clinic.say(registered("Marcus Okafor", date(1979, 11, 2)))
        await clinic.say(booked(at(3, 30)), reported("UHC", "900000002"))
        await clinic.streams.heard(CoverageVerified)
        clinic.service.clock.travel(at(4, 1, 0, 4) - clinic.service.clock.now())
        assert len(await clinic.asked()) == 1
        clinic.service.clock.travel(timedelta(minutes=2))
        again = (await clinic.streams.heard(CoverageVerified, 2))[-1]
        assert again.service_date == date(2027, 4, 1)
        clinic.service.clock.travel(at(5, 1) - clinic.service.clock.now())
        await clinic.streams.heard(CoverageVerified, 3)
        clinic.service.clock.travel(at(7, 2) - clinic.service.clock.now())  # nobody's patient since more than 45 days
        await clinic.say(registered("Rosa Delgado", date(1995, 5, 8)), patient="patient_2")
        await clinic.say(reported("Medical Mutual", "100000000005", "coverage_2"), patient="patient_2")
        await clinic.streams.heard(CoverageUndetermined)
        assert len(await clinic.asked()) == 4


@pytest.mark.engines
async def test_a_visit_just_after_the_turn_of_the_year_is_asked_about_once_more_in_the_new_year(
    settings: Settings,
) -> None:
    visit = at(1, 2, year=2028)
    async with house(settings, at(12, 20)) as clinic:
        await clinic.say(registered("Marcus Okafor", date(1979, 11, 2)), booked(visit), reported("UHC", "900000002"))
        (before,) = await clinic.streams.heard(CoverageVerified)
        assert before.service_date == visit.date()
        clinic.service.clock.travel(at(12, 31, 23) - clinic.service.clock.now())
        assert len(await clinic.asked()) == 1
        clinic.service.clock.travel(timedelta(hours=2))
        after = (await clinic.streams.heard(CoverageVerified, 2))[-1]
        assert after.verification_id != before.verification_id
        assert len(await clinic.asked()) == 2


@pytest.mark.engines
async def test_of_two_visits_in_two_months_the_later_is_asked_about_when_the_earlier_has_begun(
    settings: Settings,
) -> None:
    async with house(settings, at(3, 2, 12)) as clinic:
        await clinic.say(registered("Marcus Okafor", date(1979, 11, 2)))
        await clinic.say(booked(at(3, 4)), booked(at(4, 20), id="appointment_2"), reported("UHC", "900000002"))
        (first,) = await clinic.streams.heard(CoverageVerified)
        assert first.service_date == date(2027, 3, 4)
        clinic.service.clock.travel(timedelta(hours=6))
        assert len(await clinic.asked()) == 1
        clinic.service.clock.travel(at(3, 4, 10) - clinic.service.clock.now())
        second = (await clinic.streams.heard(CoverageVerified, 2))[-1]
        assert second.service_date == date(2027, 4, 20)
        assert len(await clinic.asked()) == 2
