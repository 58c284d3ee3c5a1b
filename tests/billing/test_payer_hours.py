"""When a payer's system is away each week, and when it can be asked again."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from billing.payers.hours import Closed, opens_at

ZONE = ZoneInfo("America/New_York")


def closed(day: str, start: str, end: str) -> Closed:
    return Closed.model_validate({"day": day, "from": start, "until": end})


NIGHT = (closed("saturday", "22:00", "24:00"), closed("sunday", "00:00", "05:00"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2027-03-06T21:59", None),
        ("2027-03-06T22:00", "2027-03-07T05:00"),
        ("2027-03-06T23:59:59.999999", "2027-03-07T05:00"),
        ("2027-03-07T00:00", "2027-03-07T05:00"),
        ("2027-03-07T05:00", None),
        ("2027-03-10T23:00", None),
    ],
)
def test_a_night_of_two_stretches_ends_in_the_morning(now: str, opens: str | None) -> None:
    assert opens_at(NIGHT, ZONE, at(now)) == (at(opens) if opens else None)


def test_the_payers_own_zone_counts_and_the_night_of_the_clock_change_is_as_short_as_it_is() -> None:
    before = datetime(2027, 3, 14, 6, 30, tzinfo=ZoneInfo("UTC"))  # 01:30 in New York, half an hour before the change
    opens = opens_at((closed("sunday", "01:00", "05:00"),), ZONE, before)
    assert opens is not None
    assert (opens.astimezone(ZoneInfo("UTC")) - before).total_seconds() == 2.5 * 3600


def test_one_that_is_never_closed_and_one_that_always_is() -> None:
    assert opens_at((), ZONE, at("2027-03-06T22:00")) is None
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    assert opens_at([closed(day, "00:00", "24:00") for day in days], ZONE, at("2027-03-06T22:00")) is not None


@pytest.mark.parametrize(
    "written",
    [
        {"day": "sunday", "from": "05:00", "until": "01:00"},
        {"day": "someday", "from": "01:00", "until": "05:00"},
        {"day": "sunday", "from": "25:00", "until": "26:00"},
        {"day": "sunday", "until": "05:00"},
    ],
)
def test_what_is_no_stretch_of_a_day_is_refused(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Closed.model_validate(written)
