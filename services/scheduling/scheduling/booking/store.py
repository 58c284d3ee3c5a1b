"""The tables of booking. Every query goes by an index and is bounded by what it is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from contracts.ids import AppointmentId, IntakeId, PatientId
from contracts.scheduling import AppointmentKind
from scheduling.booking.model import Busy, Slot, Span

Connection = asyncpg.Connection

_BEFORE_ALL, _AFTER_ALL = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class SlotTaken(Exception):
    """Somebody else holds the clinician or the room in that time. Raised inside a savepoint, look again after it."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """An appointment as it stands."""

    id: AppointmentId
    patient_id: PatientId
    intake_id: IntakeId | None
    kind: AppointmentKind
    urgent: bool
    version: int
    starts_at: datetime
    ends_at: datetime
    clinician: str
    room: str
    booked_at: datetime
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An intake for whose assessment no time was free."""

    intake_id: IntakeId
    patient_id: PatientId
    urgent: bool
    since: datetime


# Risk


async def flag_risk(connection: Connection, patient_id: str, at: datetime) -> None:
    await connection.execute(
        "INSERT INTO patient_at_risk (patient_id, flagged_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", patient_id, at
    )


async def at_risk(connection: Connection, patient_id: str) -> bool:
    return bool(await connection.fetchval("SELECT true FROM patient_at_risk WHERE patient_id = $1", patient_id))


# Searching

_FLOOR = "SELECT first_day, clinic, urgent FROM search_floor WHERE kind = $1 ORDER BY urgent FOR UPDATE"


async def lock_search(connection: Connection, kind: AppointmentKind, clinic: str, *, urgent: bool) -> date | None:
    """Wait for our turn to book this kind. Returns the first day that is worth searching, if one is known."""
    floors = await connection.fetch(_FLOOR, kind)
    if not floors:
        await connection.execute(
            "INSERT INTO search_floor SELECT $1, urgent, '-infinity', '' FROM unnest(ARRAY[false, true]) AS urgent "
            "ORDER BY urgent ON CONFLICT DO NOTHING",
            kind,
        )
        floors = await connection.fetch(_FLOOR, kind)
    floor = next(row for row in floors if row["urgent"] == urgent)
    return floor["first_day"] if floor["clinic"] == clinic else None


async def raise_floor(
    connection: Connection, kind: AppointmentKind, clinic: str, first_day: date, *, urgent: bool
) -> None:
    """Note that before `first_day` nothing is free."""
    await connection.execute(
        "UPDATE search_floor SET first_day = $4, clinic = $3 WHERE kind = $1 AND urgent = $2",
        kind,
        urgent,
        clinic,
        first_day,
    )


async def busy(connection: Connection, during: Span) -> Busy:
    """What each resource is held for in a time."""
    rows = await connection.fetch(
        "SELECT resource_no, lower(during) AS starts_at, upper(during) AS ends_at FROM resource_hold "
        "WHERE released_at IS NULL AND during && tstzrange($1, $2)",
        during.starts_at,
        during.ends_at,
    )
    held: defaultdict[int, list[Span]] = defaultdict(list)
    for row in rows:
        held[row["resource_no"]].append(Span(row["starts_at"], row["ends_at"]))
    return held


# Booking

_BOOK = """
WITH booked AS (
    INSERT INTO appointment
        (id, patient_id, intake_id, kind, urgent, version, starts_at, ends_at, clinician, room, booked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING id, starts_at, ends_at
)
INSERT INTO resource_hold (appointment_id, resource_no, during)
SELECT id, resource_no, tstzrange(starts_at, ends_at) FROM booked, unnest($12::bigint[]) AS resource_no
"""

_MOVE = """
UPDATE appointment SET urgent = $2, version = $3, starts_at = $4, ends_at = $5, clinician = $6, room = $7
WHERE id = $1
"""

_RELEASE = "UPDATE resource_hold SET released_at = $2 WHERE appointment_id = $1 AND released_at IS NULL"

_HOLD = """
INSERT INTO resource_hold (appointment_id, resource_no, during)
SELECT $1, resource_no, tstzrange($2, $3) FROM unnest($4::bigint[]) AS resource_no
"""


async def book(connection: Connection, one: Appointment, slot: Slot) -> None:
    """Raises SlotTaken."""
    try:
        await connection.execute(
            _BOOK,
            one.id,
            one.patient_id,
            one.intake_id,
            one.kind,
            one.urgent,
            one.version,
            one.starts_at,
            one.ends_at,
            one.clinician,
            one.room,
            one.booked_at,
            _numbers(slot),
        )
    except asyncpg.ExclusionViolationError:
        raise SlotTaken from None


async def move(connection: Connection, one: Appointment, slot: Slot, now: datetime) -> None:
    """Put an appointment at another time; what it held is free again. Raises SlotTaken."""
    await connection.execute(
        _MOVE, one.id, one.urgent, one.version, one.starts_at, one.ends_at, one.clinician, one.room
    )
    await connection.execute(_RELEASE, one.id, now)
    try:
        await connection.execute(_HOLD, one.id, one.starts_at, one.ends_at, _numbers(slot))
    except asyncpg.ExclusionViolationError:
        raise SlotTaken from None


async def lower_floor(connection: Connection, freed: date) -> None:
    """Note that a clinician and a room became free on a day, for whatever kind."""
    await connection.execute("UPDATE search_floor SET first_day = $1 WHERE first_day > $1", freed)


async def make_urgent(connection: Connection, appointment_id: str) -> None:
    await connection.execute("UPDATE appointment SET urgent = true WHERE id = $1", appointment_id)


def _numbers(slot: Slot) -> list[int]:
    return [slot.clinician.number, slot.room.number]


# Waiting


async def leave_unplaced(connection: Connection, one: Unplaced) -> bool:
    """Returns whether that is news: it was not unplaced before, or not as urgently."""
    news = await connection.fetchval(
        "INSERT INTO unplaced_assessment (intake_id, patient_id, urgent, since) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (intake_id) DO UPDATE SET urgent = true "
        "WHERE excluded.urgent AND NOT unplaced_assessment.urgent RETURNING true",
        one.intake_id,
        one.patient_id,
        one.urgent,
        one.since,
    )
    return news is not None


async def lock_unplaced(connection: Connection, intake_id: str) -> Unplaced | None:
    row = await connection.fetchrow("SELECT * FROM unplaced_assessment WHERE intake_id = $1 FOR UPDATE", intake_id)
    return Unplaced(**row) if row else None


async def unplaced_of(connection: Connection, patient_id: str) -> list[Unplaced]:
    rows = await connection.fetch(
        "SELECT * FROM unplaced_assessment WHERE patient_id = $1 ORDER BY since, intake_id LIMIT 20 FOR UPDATE",
        patient_id,
    )
    return [Unplaced(**row) for row in rows]


async def unplaced(connection: Connection, after: tuple[datetime, str] | None, limit: int) -> list[Unplaced]:
    """Those who have waited longest, from just after the `(since, intake_id)` given."""
    rows = await connection.fetch(
        "SELECT * FROM unplaced_assessment WHERE (since, intake_id) > ($1, $2) ORDER BY since, intake_id LIMIT $3",
        *(after or (_BEFORE_ALL, "")),
        limit,
    )
    return [Unplaced(**row) for row in rows]


async def placed(connection: Connection, intake_id: str) -> None:
    await connection.execute("DELETE FROM unplaced_assessment WHERE intake_id = $1", intake_id)


# Reading


async def assessment_of(connection: Connection, intake_id: str) -> Appointment | None:
    row = await connection.fetchrow(
        "SELECT * FROM appointment WHERE intake_id = $1 AND kind = 'assessment' AND cancelled_at IS NULL",
        intake_id,
    )
    return _appointment(row) if row else None


async def routine_ahead(connection: Connection, patient_id: str, now: datetime) -> list[Appointment]:
    """A patient's coming assessments that were booked as routine, locked."""
    rows = await connection.fetch(
        "SELECT * FROM appointment WHERE patient_id = $1 AND starts_at > $2 "
        "AND kind = 'assessment' AND cancelled_at IS NULL AND NOT urgent ORDER BY starts_at LIMIT 20 FOR UPDATE",
        patient_id,
        now,
    )
    return _appointments(rows)


async def between(
    connection: Connection, since: datetime, until: datetime, after: tuple[datetime, str], limit: int
) -> list[Appointment]:
    """Appointments that start in [since, until), in order, from just after the `(starts_at, id)` given."""
    rows = await connection.fetch(
        "SELECT * FROM appointment "
        "WHERE cancelled_at IS NULL AND starts_at >= $1 AND starts_at < $2 AND (starts_at, id) > ($3, $4) "
        "ORDER BY starts_at, id LIMIT $5",
        since,
        until,
        *after,
        limit,
    )
    return _appointments(rows)


async def of_patient(
    connection: Connection, patient_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Appointment]:
    """A patient's appointments, the latest first, cancelled ones too, from just before the `(starts_at, id)` given."""
    rows = await connection.fetch(
        "SELECT * FROM appointment WHERE patient_id = $1 AND (starts_at, id) < ($2, $3) "
        "ORDER BY starts_at DESC, id DESC LIMIT $4",
        patient_id,
        *(before or (_AFTER_ALL, "")),
        limit,
    )
    return _appointments(rows)


def _appointments(rows: Sequence[asyncpg.Record]) -> list[Appointment]:
    return [_appointment(row) for row in rows]


def _appointment(row: asyncpg.Record) -> Appointment:
    columns: dict[str, Any] = dict(row)
    columns["kind"] = AppointmentKind(columns["kind"])
    return Appointment(**columns)
