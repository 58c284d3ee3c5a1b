"""What a person is to be told, by which channel, and when a text may come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.billing import Owner
from contracts.intake import CardOutcome, Insured
from contracts.notify import Channel
from contracts.scheduling import AppointmentKind
from notify.clinic import load_clinic
from notify.messages.model import (
    Appointment,
    Coverage,
    CoverageStatus,
    Known,
    Person,
    Template,
    due,
    text_allowed_at,
)
from notify.messages.wording import Wording

CLINIC = load_clinic()
TEMPLATES = Wording(CLINIC).templates
SETTLES = timedelta(seconds=60)
NOW = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
MARIA = Person(
    "patient_1",
    name="Maria",
    phone="+13305550123",
    email="maria@example.com",
    texts_consented_at=NOW,
    intake_id="intake_1",
    submitted_at=NOW,
    insured=Insured.YES,
    coverage_typed=True,
)
VISIT = Appointment(
    "appointment_1",
    1,
    AppointmentKind.ASSESSMENT,
    False,
    NOW + timedelta(days=1),
    NOW + timedelta(days=1, hours=1),
    "America/New_York",
    "Dr. Feld",
    "88 Canal Street",
)


def told(person: Person, *coverages: Coverage, visit: Appointment | None = None, now: datetime = NOW) -> list[str]:
    known = Known(person, (visit,) if visit else (), coverages)
    return [f"{one.template} by {one.channel}" for one in due(known, now, TEMPLATES, SETTLES)]


def test_nothing_is_decided_before_the_form_is_complete() -> None:
    assert told(replace(MARIA, submitted_at=None), visit=VISIT) == []
    assert told(replace(MARIA, name=None), visit=VISIT) == []


def test_a_visit_is_told_by_every_channel_there_is() -> None:
    assert told(MARIA, visit=VISIT) == ["appointment_booked by email", "appointment_booked by sms"]
    assert told(replace(MARIA, email=None), visit=VISIT) == ["appointment_booked by sms"]
    assert told(replace(MARIA, phone=None), visit=VISIT) == ["appointment_booked by email"]
    assert told(replace(MARIA, phone=None, email=None), visit=VISIT) == ["appointment_booked by phone"]


def test_a_visit_that_has_begun_is_no_news() -> None:
    assert told(MARIA, visit=VISIT, now=VISIT.starts_at) == []


def test_consent_counts_from_when_it_was_last_given() -> None:
    stopped = replace(MARIA, texts_stopped_at=NOW + timedelta(days=1))
    assert told(stopped, visit=VISIT) == ["appointment_booked by email"]
    again = replace(stopped, texts_consented_at=NOW + timedelta(days=2))
    assert "appointment_booked by sms" in told(again, visit=VISIT)


CARD = replace(MARIA, coverage_typed=False, card_received=True)


@pytest.mark.parametrize(
    ("person", "coverages", "expected"),
    [
        (MARIA, [], []),
        (MARIA, [Coverage("c")], []),
        (MARIA, [Coverage("c", 1, CoverageStatus.ACTIVE)], ["coverage_active by email"]),
        (MARIA, [Coverage("c", 1, CoverageStatus.INACTIVE)], ["coverage_inactive by email"]),
        (MARIA, [Coverage("c", 1, CoverageStatus.UNDETERMINED, Owner.PAYER)], ["coverage_undetermined by email"]),
        (replace(MARIA, email=None), [Coverage("c", 1, CoverageStatus.ACTIVE)], ["coverage_active by phone"]),
        (replace(MARIA, coverage_typed=False, insured=Insured.NO), [], ["coverage_self_pay by email"]),
        (replace(MARIA, coverage_typed=False), [], ["coverage_no_card by email"]),
        (replace(MARIA, coverage_typed=False, insured=None), [], ["coverage_no_card by email"]),
        (CARD, [], []),
        (replace(CARD, insured=Insured.NO), [], []),
        (replace(CARD, card_outcome=CardOutcome.UNREADABLE), [], ["coverage_card_unreadable by email"]),
        (replace(CARD, card_outcome=CardOutcome.FAILED), [], ["coverage_card_unreadable by email"]),
        (replace(CARD, card_outcome=CardOutcome.UNREADABLE, coverage_typed=True), [], []),
        (replace(CARD, card_outcome=CardOutcome.READ, card_complete=True, card_read_at=NOW), [], []),
        (replace(CARD, card_outcome=CardOutcome.READ, card_read_at=NOW), [], []),
        (
            replace(CARD, card_outcome=CardOutcome.READ, card_read_at=NOW - SETTLES),
            [],
            ["coverage_card_unreadable by email"],
        ),
        (replace(CARD, card_outcome=CardOutcome.READ, card_read_at=NOW - SETTLES), [Coverage("c")], []),
    ],
)
def test_insurance_is_told_once_it_is_concluded_or_will_not_be(
    person: Person, coverages: list[Coverage], expected: list[str]
) -> None:
    assert told(person, *coverages) == expected


def test_a_change_of_status_is_told_anew_and_the_same_answer_is_not() -> None:
    def purpose(revision: int) -> str:
        known = Known(MARIA, (), (Coverage("c", revision, CoverageStatus.ACTIVE),))
        (one,) = due(known, NOW, TEMPLATES, SETTLES)
        return one.purpose

    assert purpose(1) == purpose(1) != purpose(2)


NOTICE = Template((Channel.SMS,))
ANSWER = Template((Channel.SMS,), answers_the_person=True)
NEW_YORK = ZoneInfo("America/New_York")


def allowed(now: datetime, phone: str = "+13305550123", template: Template = NOTICE) -> datetime:
    person = replace(MARIA, phone=phone, submitted_at=now - timedelta(minutes=5))
    return text_allowed_at(Known(person), template, now, CLINIC.texts, CLINIC.time_zone)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2027-03-02 12:34", "2027-03-02 12:34"),
        ("2027-03-02 21:00", "2027-03-03 08:00"),
        ("2027-03-02 03:17", "2027-03-02 08:00"),
        ("2027-03-13 22:00", "2027-03-14 08:00"),
    ],
)
def test_a_text_waits_for_the_morning(now: str, expected: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=NEW_YORK)
    assert f"{allowed(moment.astimezone(UTC)).astimezone(NEW_YORK):%Y-%m-%d %H:%M}" == expected


def test_the_hours_are_those_of_the_persons_own_place() -> None:
    eight_in_akron = datetime(2027, 3, 2, 8, 0, tzinfo=NEW_YORK)
    assert allowed(eight_in_akron, "+14155550123") == eight_in_akron + timedelta(hours=3)


def test_an_answer_to_the_form_comes_at_once() -> None:
    night = datetime(2027, 3, 2, 23, 0, tzinfo=NEW_YORK)
    assert allowed(night, template=ANSWER) == night


@given(now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)))
def test_no_text_is_ever_allowed_in_the_night(now: datetime) -> None:
    at = allowed(now)
    assert now <= at <= now + timedelta(hours=13)
    assert 8 <= at.astimezone(NEW_YORK).hour < 21
