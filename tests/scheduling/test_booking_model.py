"""Which time, clinician and room an assessment gets."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.scheduling import AppointmentKind
from scheduling.booking.model import (
    Busy,
    Slot,
    Span,
    days_to_search,
    earliest_slot,
    last_day,
    need,
    need_to_move,
    working_hours,
)
from scheduling.clinic import Clinic, load_clinic
from tests.scheduling.clinics import clinic

ASSESSMENT = AppointmentKind.ASSESSMENT
NEW_YORK = ZoneInfo("America/New_York")


def local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=NEW_YORK).astimezone(UTC)


def found(where: Clinic, now: datetime, busy: Busy | None = None, *, urgent: bool = False) -> Slot | None:
    wanted = need(where, ASSESSMENT, now, urgent=urgent)
    return earliest_slot(where, wanted, days_to_search(where, wanted, now), busy or {})


def wall(slot: Slot | None) -> str:
    assert slot is not None
    return slot.span.starts_at.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M")


def hour(*moment: int) -> Span:
    return Span(local(*moment), local(*moment) + timedelta(hours=1))


def test_somebody_who_asks_in_the_night_is_seen_when_the_clinic_opens() -> None:
    assert wall(found(clinic(), local(2026, 3, 3, 2, 10))) == "2026-03-03 09:00"


def test_a_routine_assessment_leaves_the_lead_time_and_starts_on_the_grid() -> None:
    assert wall(found(clinic(), local(2026, 3, 3, 7, 31))) == "2026-03-03 09:45"


def test_a_person_in_danger_is_seen_sooner() -> None:
    now = local(2026, 3, 3, 9, 20)
    assert wall(found(clinic(), now, urgent=True)) == "2026-03-03 10:00"
    assert wall(found(clinic(), now)) == "2026-03-04 09:00"


def test_hours_held_back_are_for_urgent_people_only() -> None:
    only = clinic(clinicians=[{"number": 1, "name": "Dr. Ash", "skills": ["assessment"]}])
    full = {1: [hour(2026, 3, 3, 9), hour(2026, 3, 3, 10)]}
    now = local(2026, 3, 3, 0, 5)
    assert wall(found(only, now, full, urgent=True)) == "2026-03-03 11:00"
    assert wall(found(only, now, full)) == "2026-03-04 09:00"


def test_a_free_clinician_without_a_free_room_is_not_enough() -> None:
    rooms = {11: [hour(2026, 3, 3, 9)], 12: [hour(2026, 3, 3, 9)]}
    assert wall(found(clinic(), local(2026, 3, 3, 0, 5), rooms)) == "2026-03-03 10:00"


def test_closures_and_absences_are_days_off() -> None:
    closed = clinic(closures=[{"from": "2026-03-03", "to": "2026-03-04", "why": "painting"}])
    assert wall(found(closed, local(2026, 3, 3, 0, 5))) == "2026-03-05 09:00"
    away = clinic(
        clinicians=[
            {
                "number": 1,
                "name": "Dr. Ash",
                "skills": ["assessment"],
                "absences": [{"from": "2026-03-03", "to": "2026-03-03", "why": "leave"}],
            }
        ]
    )
    assert wall(found(away, local(2026, 3, 3, 0, 5))) == "2026-03-04 09:00"


def test_nothing_is_found_beyond_the_horizon() -> None:
    closed = clinic(closures=[{"from": "2026-03-01", "to": "2026-12-31", "why": "rebuilding"}])
    now = local(2026, 3, 3, 0, 5)
    assert found(closed, now) is None
    assert last_day(closed, now) == date(2026, 3, 17)


@pytest.mark.parametrize(("day", "offset"), [(7, -5), (8, -4)])
def test_opening_times_are_wall_times_when_the_clocks_change(day: int, offset: int) -> None:
    slot = found(clinic(), local(2026, 3, day, 0, 5))
    assert wall(slot) == f"2026-03-{day:02} 09:00"
    assert slot is not None
    assert slot.span.starts_at.hour == 9 - offset


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 8, 2), (11, 1, 4), (11, 2, 3)])
def test_a_night_clinic_works_the_hours_that_the_night_has(month: int, day: int, hours: int) -> None:
    week = {name: [{"from": "01:00", "to": "04:00"}] for name in ("sunday", "monday")}
    night = clinic(opening_hours=week, held_for_urgent=[])
    (span,) = working_hours(night, night.clinicians[0], date(2026, month, day), urgent=False)
    assert span.ends_at - span.starts_at == timedelta(hours=hours)


def test_hours_inside_the_skipped_hour_do_not_exist_that_night() -> None:
    night = clinic(opening_hours={"sunday": [{"from": "02:15", "to": "03:10"}]}, held_for_urgent=[])
    assert working_hours(night, night.clinicians[0], date(2026, 3, 8), urgent=False) == []


def test_work_is_spread_over_clinicians_and_rooms() -> None:
    where = clinic(held_for_urgent=[])
    busy: defaultdict[int, list[Span]] = defaultdict(list)
    for _ in range(40):
        slot = found(where, local(2026, 3, 3, 0, 5), busy)
        assert slot is not None
        busy[slot.clinician.number].append(slot.span)
        busy[slot.room.number].append(slot.span)
    assert len(busy[1]) == len(busy[2]) == len(busy[11]) == len(busy[12]) == 20


def test_the_first_of_the_day_is_not_always_the_same_clinician() -> None:
    slots = [found(clinic(), local(2026, 3, day, 0, 5)) for day in range(2, 8)]
    assert {slot.clinician.number for slot in slots if slot} == {1, 2}


def test_who_has_an_appointment_already_is_moved_with_notice() -> None:
    now = local(2026, 3, 3, 7, 30)
    assert need_to_move(clinic(), ASSESSMENT, now).earliest == now + timedelta(hours=2)


instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))
requests = st.lists(st.tuples(st.integers(0, 300), st.booleans()), min_size=1, max_size=60)
OWN = load_clinic()


@settings(max_examples=40, deadline=None)
@given(now=instants, arrivals=requests)
def test_however_people_come_nobody_is_double_booked_seen_outside_hours_or_before_the_lead_time(
    now: datetime, arrivals: list[tuple[int, bool]]
) -> None:
    busy: defaultdict[int, list[Span]] = defaultdict(list)
    for minutes, urgent in arrivals:
        now += timedelta(minutes=minutes)
        slot = found(OWN, now, busy, urgent=urgent)
        assert slot == found(OWN, now, busy, urgent=urgent)
        if slot is None:
            continue
        for number in (slot.clinician.number, slot.room.number):
            assert not any(slot.span.overlaps(other) for other in busy[number])
            busy[number].append(slot.span)
        assert slot.span.starts_at - now >= OWN.kinds[ASSESSMENT].lead(urgent=urgent)
        _assert_open(slot, urgent=urgent)


@settings(max_examples=40, deadline=None)
@given(now=instants, arrivals=requests)
def test_urgent_is_never_later_than_routine(now: datetime, arrivals: list[tuple[int, bool]]) -> None:
    busy: defaultdict[int, list[Span]] = defaultdict(list)
    for minutes, _ in arrivals:
        now += timedelta(minutes=minutes)
        routine, urgent = found(OWN, now, busy), found(OWN, now, busy, urgent=True)
        assert routine is None or (urgent is not None and urgent.span.starts_at <= routine.span.starts_at)
        if routine:
            busy[routine.clinician.number].append(routine.span)
            busy[routine.room.number].append(routine.span)


def _assert_open(slot: Slot, *, urgent: bool) -> None:
    """By the wall clock alone, without the model's own arithmetic."""
    starts, ends = (instant.astimezone(OWN.time_zone) for instant in (slot.span.starts_at, slot.span.ends_at))
    day, weekday = starts.date(), starts.strftime("%A").lower()
    assert ends.date() == day
    assert starts.minute % OWN.grid_minutes == 0
    assert not any(closed.from_ <= day <= closed.to for closed in (*OWN.closures, *slot.clinician.absences))

    def inside(hours: object, since: time, until: time) -> bool:
        return any(one.from_ <= since and until <= one.to for one in hours)

    assert inside(OWN.opening_hours.get(weekday, ()), starts.time(), ends.time())
    if slot.clinician.hours is not None:
        assert inside(slot.clinician.hours.get(weekday, ()), starts.time(), ends.time())
    if not urgent:
        assert not any(
            held.clinician == slot.clinician.number
            and weekday in held.days
            and held.from_ < ends.time()
            and starts.time() < held.to
            for held in OWN.held_for_urgent
        )
