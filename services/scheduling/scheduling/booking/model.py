"""Which time, clinician and room an appointment gets. Pure: the clinic's facts and busy times in, a slot out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from contracts.scheduling import AppointmentKind
from scheduling.clinic import Clinic, Clinician, Hours, Room, Week, Weekday

R = TypeVar("R", Clinician, Room)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From an instant until just before another, both in UTC."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Span) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def within(self, other: Span) -> bool:
        return other.starts_at <= self.starts_at and self.ends_at <= other.ends_at


Busy = Mapping[int, Sequence[Span]]
"""When each clinician and room, by number, is held already."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is looked for: a kind of appointment, how urgently, and no sooner than `earliest`."""

    kind: AppointmentKind
    urgent: bool
    earliest: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """A time with a clinician and a room that are both free in it."""

    span: Span
    clinician: Clinician
    room: Room


def need(clinic: Clinic, kind: AppointmentKind, now: datetime, *, urgent: bool) -> Need:
    return Need(kind, urgent, now + clinic.kinds[kind].lead(urgent=urgent))


def need_to_move(clinic: Clinic, kind: AppointmentKind, now: datetime) -> Need:
    """An urgent need, but late enough for somebody with an appointment already to hear of it."""
    usual = need(clinic, kind, now, urgent=True)
    return Need(kind, True, max(usual.earliest, now + clinic.moving.notice))


def days_to_search(clinic: Clinic, wanted: Need, now: datetime, not_before: date | None = None) -> list[date]:
    """The days on which a time may be found, up to the horizon; empty where the lead reaches beyond it."""
    first = clinic.today(wanted.earliest)
    if not_before is not None:
        first = max(first, not_before)
    last = last_day(clinic, now)
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def last_day(clinic: Clinic, now: datetime) -> date:
    """The last day of the horizon."""
    return clinic.today(now) + timedelta(days=clinic.horizon_days)


def earliest_slot(clinic: Clinic, wanted: Need, days: Iterable[date], busy: Busy) -> Slot | None:
    """The earliest slot on these days, which are in order. The same facts always give the same slot."""
    return next(filter(None, (_earliest_on(clinic, wanted, day, busy) for day in days)), None)


def bounds(clinic: Clinic, first: date, last: date) -> Span:
    """From the first day's beginning to the last day's end, in the clinic's zone."""
    return Span(_instant(clinic, first, time()), _instant(clinic, last + timedelta(days=1), time()))


def working_hours(clinic: Clinic, clinician: Clinician, day: date, *, urgent: bool) -> list[Span]:
    """When a clinician may be booked on a day. Hours held for urgent people are left out for all others."""
    if any(closed.include(day) for closed in (*clinic.closures, *clinician.absences)):
        return []
    spans = _on(clinic, clinic.opening_hours, day)
    if clinician.hours is not None:
        spans = _intersected(spans, _on(clinic, clinician.hours, day))
    return spans if urgent else _not_held_back(clinic, clinician, day, spans)


def _earliest_on(clinic: Clinic, wanted: Need, day: date, busy: Busy) -> Slot | None:
    held = _held_on(bounds(clinic, day, day), busy)
    skilled = _in_turn([one for one in clinic.clinicians if wanted.kind in one.skills], day, held)
    rooms = _in_turn([one for one in clinic.rooms if wanted.kind in one.used_for], day, held)
    hours = {one.number: working_hours(clinic, one, day, urgent=wanted.urgent) for one in skilled}
    for span in _candidates(clinic, wanted, hours.values()):
        clinician = next((one for one in skilled if _inside(hours[one.number], span) and _free(held, one, span)), None)
        room = next((one for one in rooms if _free(held, one, span)), None)
        if clinician and room:
            return Slot(span, clinician, room)
    return None


def _candidates(clinic: Clinic, wanted: Need, hours: Iterable[list[Span]]) -> list[Span]:
    """The times at which anybody could begin, in order."""
    length = clinic.kinds[wanted.kind].length
    spans = {span for working in hours for span in working}
    starts = {start for span in spans for start in _starts(clinic, span, wanted.earliest, length)}
    return [Span(start, start + length) for start in sorted(starts)]


def _starts(clinic: Clinic, span: Span, earliest: datetime, length: timedelta) -> Iterator[datetime]:
    start = _on_grid(clinic, max(span.starts_at, earliest))
    while start + length <= span.ends_at:
        yield start
        start = _on_grid(clinic, start + timedelta(minutes=clinic.grid_minutes))


def _on_grid(clinic: Clinic, instant: datetime) -> datetime:
    """The next instant at which the clinic's wall clock shows a time on the grid; `instant` if it does then."""
    wall = instant.astimezone(clinic.time_zone)
    past_hour = timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
    return instant + -past_hour % timedelta(minutes=clinic.grid_minutes)


def _in_turn(resources: list[R], day: date, held: Busy) -> list[R]:
    """In the order of asking: those with the least work that day, and each day another among equals."""
    turns = {one.number: (at - day.toordinal()) % len(resources) for at, one in enumerate(resources)}
    return sorted(resources, key=lambda one: (_length(held.get(one.number, ())), turns[one.number]))


def _length(spans: Sequence[Span]) -> timedelta:
    return sum((span.ends_at - span.starts_at for span in spans), timedelta())


def _held_on(day: Span, busy: Busy) -> Busy:
    return {number: [span for span in spans if span.overlaps(day)] for number, spans in busy.items()}


def _inside(hours: list[Span], span: Span) -> bool:
    return any(span.within(working) for working in hours)


def _free(held: Busy, resource: Clinician | Room, span: Span) -> bool:
    return not any(span.overlaps(other) for other in held.get(resource.number, ()))


# Hours of a day as instants


def _on(clinic: Clinic, week: Week, day: date) -> list[Span]:
    spans = sorted(_span(clinic, day, hours) for hours in week.get(Weekday.of(day), ()))
    # Hours that lie wholly in the night's skipped hour run backwards as instants: there are none that day.
    return [span for span in spans if span.starts_at < span.ends_at]


def _span(clinic: Clinic, day: date, hours: Hours) -> Span:
    return Span(_instant(clinic, day, hours.from_), _instant(clinic, day, hours.to))


def _instant(clinic: Clinic, day: date, wall: time) -> datetime:
    return datetime.combine(day, wall, clinic.time_zone).astimezone(UTC)


def _not_held_back(clinic: Clinic, clinician: Clinician, day: date, spans: list[Span]) -> list[Span]:
    for held in clinic.held_for_urgent:
        if held.clinician == clinician.number and Weekday.of(day) in held.days:
            spans = _without(spans, _span(clinic, day, held))
    return spans


def _intersected(spans: list[Span], others: list[Span]) -> list[Span]:
    return [
        Span(max(span.starts_at, other.starts_at), min(span.ends_at, other.ends_at))
        for span in spans
        for other in others
        if span.overlaps(other)
    ]


def _without(spans: list[Span], held: Span) -> list[Span]:
    parts = (
        part
        for span in spans
        for part in (
            Span(span.starts_at, min(span.ends_at, held.starts_at)),
            Span(max(span.starts_at, held.ends_at), span.ends_at),
        )
    )
    return [part for part in parts if part.starts_at < part.ends_at]
