"""The tables of what is known of people: their contact, consent, coming visits and insurance."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from contracts.billing import Benefit, Owner
from contracts.intake import CardOutcome, CardRead, Insured, PatientRegistered, Submitted
from contracts.scheduling import AppointmentBooked, AppointmentKind, AppointmentRescheduled
from notify.messages.model import Appointment, Coverage, CoverageStatus, Known, Person

Connection = asyncpg.Connection

_BENEFITS: TypeAdapter[tuple[Benefit, ...]] = TypeAdapter(tuple[Benefit, ...])


async def lock_person(connection: Connection, patient_id: str) -> None:
    """One event about a person at a time, whichever stream it comes from."""
    await connection.execute(
        "INSERT INTO person (patient_id) VALUES ($1) ON CONFLICT (patient_id) DO UPDATE SET patient_id = $1", patient_id
    )


async def learn_registered(connection: Connection, patient_id: str, event: PatientRegistered) -> None:
    await connection.execute(
        "UPDATE person SET name = $2, phone = $3, email = $4 WHERE patient_id = $1",
        patient_id,
        event.name,
        event.phone,
        event.email,
    )


async def learn_consent(connection: Connection, patient_id: str, given_at: datetime) -> None:
    await connection.execute(
        "UPDATE person SET texts_consented_at = greatest(texts_consented_at, $2) WHERE patient_id = $1",
        patient_id,
        given_at,
    )


async def learn_danger(connection: Connection, patient_id: str) -> None:
    await connection.execute("UPDATE person SET in_danger = true WHERE patient_id = $1", patient_id)


async def learn_submitted(connection: Connection, patient_id: str, event: Submitted, at: datetime) -> None:
    await connection.execute(
        "UPDATE person SET intake_id = $2, submitted_at = $3, insured = $4, card_received = $5, coverage_typed = $6, "
        "in_danger = in_danger OR $7 WHERE patient_id = $1",
        patient_id,
        event.intake_id,
        at,
        event.insured,
        event.card_received,
        event.coverage_typed,
        event.in_danger,
    )


async def learn_card(connection: Connection, patient_id: str, event: CardRead, at: datetime) -> None:
    names = {field.name for field in event.fields}
    await connection.execute(
        "UPDATE person SET card_outcome = $2, card_complete = $3, card_read_at = $4 WHERE patient_id = $1",
        patient_id,
        event.outcome,
        {"payer", "member_id"} <= names,
        at,
    )


_APPOINTMENT = """
INSERT INTO appointment (id, patient_id, version, kind, moved, starts_at, ends_at, time_zone, clinician, place)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, moved = excluded.moved, starts_at = excluded.starts_at,
    ends_at = excluded.ends_at, time_zone = excluded.time_zone, clinician = excluded.clinician, place = excluded.place
WHERE appointment.version < excluded.version
"""


async def learn_appointment(
    connection: Connection, patient_id: str, event: AppointmentBooked | AppointmentRescheduled
) -> None:
    """An older version than the one known changes nothing."""
    await connection.execute(
        _APPOINTMENT,
        event.appointment_id,
        patient_id,
        event.version,
        event.kind,
        isinstance(event, AppointmentRescheduled),
        event.starts_at,
        event.ends_at,
        event.time_zone,
        event.clinician,
        event.place,
    )


async def learn_reported(connection: Connection, patient_id: str, coverage_id: str, payer: str | None) -> None:
    """A coverage of which nothing is concluded yet; nothing is changed where it is known already."""
    await connection.execute(
        "INSERT INTO coverage (id, patient_id, payer) VALUES ($1, $2, $3) "
        "ON CONFLICT (id) DO UPDATE SET payer = coalesce(coverage.payer, excluded.payer)",
        coverage_id,
        patient_id,
        payer,
    )


_COVERAGE = """
INSERT INTO coverage
    (id, patient_id, revision, status, owner, payer, service_date, plan, ended_on, asking_again, benefits)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET
    revision = coverage.revision
        + ((coverage.status, coverage.owner) IS DISTINCT FROM (excluded.status, excluded.owner))::int,
    status = excluded.status, owner = excluded.owner, payer = excluded.payer, service_date = excluded.service_date,
    plan = excluded.plan, ended_on = excluded.ended_on, asking_again = excluded.asking_again,
    benefits = excluded.benefits
"""


async def learn_coverage(connection: Connection, patient_id: str, one: Coverage) -> None:
    """What billing concluded. Its revision is counted here."""
    await connection.execute(
        _COVERAGE,
        one.id,
        patient_id,
        one.status,
        one.owner,
        one.payer,
        one.service_date,
        one.plan,
        one.ended_on,
        one.asking_again,
        _BENEFITS.dump_json(one.benefits).decode(),
    )


async def left_to_staff(connection: Connection, patient_id: str, coverage_id: str) -> None:
    """Billing's staff has to look, and nothing is concluded: the person is told that we are finding out."""
    await learn_reported(connection, patient_id, coverage_id, None)
    await connection.execute(
        "UPDATE coverage SET status = $2, owner = $3, revision = revision + 1 WHERE id = $1 AND status IS NULL",
        coverage_id,
        CoverageStatus.UNDETERMINED,
        Owner.STAFF,
    )


async def known(connection: Connection, patient_id: str, now: datetime) -> Known:
    """All that is known of a person; their coming appointments only."""
    person = await connection.fetchrow("SELECT * FROM person WHERE patient_id = $1", patient_id)
    if person is None:
        return Known(Person(patient_id))
    appointments = await connection.fetch(
        "SELECT id, version, kind, moved, starts_at, ends_at, time_zone, clinician, place FROM appointment "
        "WHERE patient_id = $1 AND starts_at > $2 ORDER BY starts_at LIMIT 50",
        patient_id,
        now,
    )
    coverages = await connection.fetch(
        "SELECT id, revision, status, owner, payer, service_date, plan, ended_on, asking_again, benefits FROM coverage "
        "WHERE patient_id = $1 ORDER BY id DESC LIMIT 20",
        patient_id,
    )
    return Known(_person(person), tuple(map(_appointment, appointments)), tuple(map(_coverage, coverages)))


# Texts stopped


async def stop_texts(connection: Connection, phone: str, now: datetime) -> list[str]:
    """Honour a STOP for everybody with this number. Returns their ids."""
    rows = await connection.fetch(
        "UPDATE person SET texts_stopped_at = $2 WHERE phone = $1 RETURNING patient_id", phone, now
    )
    return sorted(row["patient_id"] for row in rows)


async def resume_texts(connection: Connection, phone: str) -> list[str]:
    """Take a STOP back. Consent that was never given is not given by it."""
    rows = await connection.fetch(
        "UPDATE person SET texts_stopped_at = NULL WHERE phone = $1 RETURNING patient_id", phone
    )
    return sorted(row["patient_id"] for row in rows)


async def with_phone(connection: Connection, phone: str) -> list[str]:
    rows = await connection.fetch("SELECT patient_id FROM person WHERE phone = $1 ORDER BY patient_id LIMIT 50", phone)
    return [row["patient_id"] for row in rows]


async def phone_of(connection: Connection, patient_id: str) -> str | None:
    return await connection.fetchval("SELECT phone FROM person WHERE patient_id = $1", patient_id)


def _person(row: asyncpg.Record) -> Person:
    columns: dict[str, Any] = dict(row)
    columns["insured"] = Insured(row["insured"]) if row["insured"] else None
    columns["card_outcome"] = CardOutcome(row["card_outcome"]) if row["card_outcome"] else None
    return Person(**columns)


def _appointment(row: asyncpg.Record) -> Appointment:
    columns: dict[str, Any] = dict(row)
    columns["kind"] = AppointmentKind(row["kind"])
    return Appointment(**columns)


def _coverage(row: asyncpg.Record) -> Coverage:
    columns: dict[str, Any] = dict(row)
    columns["status"] = CoverageStatus(row["status"]) if row["status"] else None
    columns["owner"] = Owner(row["owner"]) if row["owner"] else None
    columns["benefits"] = _BENEFITS.validate_json(row["benefits"])
    return Coverage(**columns)
