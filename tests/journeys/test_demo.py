"""The demo finds what is wrong: each check is shown to fail where it should."""

from collections import Counter
from typing import Any

import pytest

from deploy.local.demo import checks
from deploy.local.demo.journeys import load_journeys
from deploy.local.demo.privacy import leaks, secrets_of
from sandbox.patients.people import cast

JOURNEYS = load_journeys()
PEOPLE = {person.scenario: person for person in cast(1)}
VISIT = {
    "starts_at": "2026-11-24T08:30:00-05:00",
    "ends_at": "2026-11-24T09:30:00-05:00",
    "clinician": "A",
    "room": "1",
}


def test_the_seven_are_the_sandboxs_cast() -> None:
    assert list(JOURNEYS) == list(PEOPLE)


def test_an_event_that_is_missing_doubled_or_unexpected_is_found() -> None:
    journey = JOURNEYS["inactive"]
    right = Counter(journey.events)
    assert checks.of_events(journey, right) == []
    assert checks.of_events(journey, right - Counter(["appointment_booked"])) == [
        "appointment_booked was said 0 times instead of 1"
    ]
    assert checks.of_events(journey, right + Counter(["coverage_inactive", "coverage_verified"])) == [
        "coverage_inactive was said 2 times instead of 1",
        "coverage_verified was said 1 times instead of 0",
    ]


def test_two_bookings_or_a_shared_room_are_found() -> None:
    one = {**VISIT, "cancelled_at": None, "urgent": False}
    assert checks.of_scheduling(JOURNEYS["covered"], [one]) == []
    assert checks.of_scheduling(JOURNEYS["covered"], [one, one])
    assert checks.of_scheduling(JOURNEYS["in_danger"], [one]) == ["the assessment is not urgent"]
    assert checks.of_bookings([VISIT, {**VISIT, "clinician": "B"}]) == ["two assessments share room at one time"]
    assert checks.of_bookings([VISIT, {**VISIT, "clinician": "B", "room": "2"}]) == []


def test_an_unknown_coverage_told_as_a_no_is_found() -> None:
    verification = {"outcome": "inactive", "owner": "payer", "asking_again_at": None}
    assert "the coverage is inactive instead of undetermined" in checks.of_billing(
        JOURNEYS["payer_silent"], [{"verification": verification}]
    )


def test_one_decision_made_twice_is_found() -> None:
    message = {"purpose": "appointment_booked:1:1", "channel": "email", "fate": "sent"}
    assert checks.of_notify([message]) == []
    assert checks.of_notify([message, message]) == ["email was decided 2 times for one purpose"]


@pytest.mark.parametrize("scenario", list(PEOPLE))
def test_whatever_gives_somebody_away_is_found_in_a_log(scenario: str) -> None:
    person = PEOPLE[scenario]
    clean: dict[str, Any] = {"a log": '{"event": "started", "level": "info"}'}
    assert leaks([person], clean) == []
    for secret in secrets_of(person):
        found = leaks([person], {**clean, "a log": f"could not tell {secret} about it"})
        assert found == [f"{scenario}: something about them stands in a log"]
