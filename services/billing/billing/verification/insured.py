"""The tables of whom it is about: patients, their visits, and the insurances that they are said to have.

Every query goes by an index and is bounded by what it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from contracts.ids import CoverageId

Connection = asyncpg.Connection


# Patients and their visits


_LOCK_PATIENT = """
WITH known AS (SELECT true FROM patient WHERE patient_id = $1 FOR UPDATE),
new AS (INSERT INTO patient (patient_id) SELECT $1 WHERE NOT EXISTS (SELECT FROM known) ON CONFLICT DO NOTHING
        RETURNING true)
SELECT true FROM known UNION ALL SELECT true FROM new
"""


async def lock_patient(connection: Connection, patient_id: str) -> None:
    """Everything that is decided about one patient's insurance is decided one after another."""
    while not await connection.fetchval(_LOCK_PATIENT, patient_id):
        pass  # somebody else inserted the row just now: lock theirs


async def save_patient(connection: Connection, patient_id: str, name: str, birth_date: date | None) -> None:
    await connection.execute(
        "INSERT INTO patient VALUES ($1, $2, $3) "
        "ON CONFLICT (patient_id) DO UPDATE SET name = excluded.name, birth_date = excluded.birth_date",
        patient_id,
        name,
        birth_date,
    )


async def correct_patient(connection: Connection, patient_id: str, name: str | None, birth_date: date | None) -> bool:
    """Set what is given. Returns False where nothing changed by that."""
    return bool(
        await connection.fetchval(
            "UPDATE patient SET name = coalesce($2, name), birth_date = coalesce($3, birth_date) "
            "WHERE patient_id = $1 AND (name, birth_date) IS DISTINCT FROM "
            "(coalesce($2, name), coalesce($3, birth_date)) RETURNING true",
            patient_id,
            name,
            birth_date,
        )
    )


async def save_visit(
    connection: Connection, patient_id: str, appointment_id: str, version: int, starts_at: datetime
) -> bool:
    """Returns False where a later version of this visit was known already."""
    return bool(
        await connection.fetchval(
            "INSERT INTO visit VALUES ($1, $2, $3, $4) ON CONFLICT (appointment_id) DO UPDATE "
            "SET version = excluded.version, starts_at = excluded.starts_at WHERE visit.version < excluded.version "
            "RETURNING true",
            appointment_id,
            patient_id,
            version,
            starts_at,
        )
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """A booked visit of a patient."""

    appointment_id: str
    patient_id: str
    starts_at: datetime


async def visits_ahead(connection: Connection, patient_id: str, now: datetime, limit: int = 60) -> list[Visit]:
    """The next one first."""
    rows = await connection.fetch(
        "SELECT appointment_id, patient_id, starts_at FROM visit WHERE patient_id = $1 AND starts_at >= $2 "
        "ORDER BY starts_at LIMIT $3",
        patient_id,
        now,
        limit,
    )
    return [Visit(**dict(row)) for row in rows]


async def visit(connection: Connection, appointment_id: str) -> Visit | None:
    row = await connection.fetchrow(
        "SELECT appointment_id, patient_id, starts_at FROM visit WHERE appointment_id = $1", appointment_id
    )
    return Visit(**dict(row)) if row else None


# Coverages


@dataclass(frozen=True, slots=True)
class Coverage:
    """An insurance that somebody says to have. `payer_id` is None while it is not clear which payer is meant."""

    id: CoverageId
    patient_id: str
    payer_stated: str
    payer_id: str | None
    payer_confidence: float
    member_id: str
    group_number: str | None
    holder: str | None
    source: str
    confidence: float | None
    reported_at: datetime


COVERAGE = """
    coverage_id AS id, patient_id, payer_stated, payer_id, payer_confidence, member_id, group_number, holder, source,
    confidence, reported_at
"""


_SAVE_COVERAGE = """
WITH before AS (
    SELECT payer_id, upper(translate(member_id, ' -', '')) AS member_id, holder FROM coverage WHERE coverage_id = $1
)
INSERT INTO coverage VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (coverage_id) DO UPDATE SET payer_stated = excluded.payer_stated, payer_id = excluded.payer_id,
    payer_confidence = excluded.payer_confidence, member_id = excluded.member_id,
    group_number = excluded.group_number, holder = excluded.holder, source = excluded.source,
    confidence = excluded.confidence, reported_at = excluded.reported_at
WHERE (coverage.payer_stated, coverage.payer_id, coverage.member_id, coverage.holder) IS DISTINCT FROM
    (excluded.payer_stated, excluded.payer_id, excluded.member_id, excluded.holder)
RETURNING NOT EXISTS (
    SELECT FROM before
    WHERE (payer_id, member_id, holder) IS NOT DISTINCT FROM ($4, upper(translate($6, ' -', '')), $8)
)
"""


async def save_coverage(connection: Connection, coverage: Coverage) -> bool | None:
    """None where the same was known already; else whether there is something new to ask a payer, not only new words."""
    return await connection.fetchval(
        _SAVE_COVERAGE,
        coverage.id,
        coverage.patient_id,
        coverage.payer_stated,
        coverage.payer_id,
        coverage.payer_confidence,
        coverage.member_id,
        coverage.group_number,
        coverage.holder,
        coverage.source,
        coverage.confidence,
        coverage.reported_at,
    )


async def coverage(connection: Connection, coverage_id: str) -> Coverage | None:
    row = await connection.fetchrow(f"SELECT {COVERAGE} FROM coverage WHERE coverage_id = $1", coverage_id)  # noqa: S608
    return Coverage(**dict(row)) if row else None


async def set_order(connection: Connection, coverage: Coverage, order: str | None) -> bool:
    """Which of the patient's coverages pays first, by a person's word. Returns False where it stood like this.

    Only one is primary by hand; None takes the word back.
    """
    changed = await connection.fetchval(
        "UPDATE coverage SET order_by_hand = $2 WHERE coverage_id = $1 AND order_by_hand IS DISTINCT FROM $2 "
        "RETURNING true",
        coverage.id,
        order,
    )
    if changed and order == "primary":
        await connection.execute(
            "UPDATE coverage SET order_by_hand = NULL "
            "WHERE patient_id = $1 AND coverage_id <> $2 AND order_by_hand = 'primary'",
            coverage.patient_id,
            coverage.id,
        )
    return bool(changed)
