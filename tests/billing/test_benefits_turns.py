"""Plans turn with months and years: what was answered before a turn does not stand for a visit after it."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from billing.clinic import load_clinic
from billing.payers.directory import load_payers
from billing.verification.model import Reason, State, Verification, visit_check_at
from contracts.billing import CoverageVerified
from contracts.ids import CoverageId, new_verification_id
from tests.billing.house import NEW_YORK, Settings, booked, house, registered, reported

CLINIC = load_clinic()
DIRECTORY = load_payers()
AHEAD, MONTH_ONLY = "87726", "62308"
"""UnitedHealthcare answers a year ahead, Cigna until the end of the month."""


def at(month: int, day: int, hour: int = 9, minute: int = 0, year: int = 2027) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK)


def asked(on: datetime, about: date, **ends: date) -> Verification:
    one = Verification(
        id=new_verification_id(),
        coverage_id=CoverageId("coverage_1"),
        patient_id="patient_1",
        payer_id=AHEAD,
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
    visit: datetime, last: Verification, payer: str, expected: datetime | None
) -> None:
    found = DIRECTORY.get(payer)
    assert found is not None
    assert visit_check_at(visit, at(3, 2, 12), found, CLINIC, last) == expected


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
