"""What staff reads of patients and intakes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

import asyncpg

_PATIENT: Final = "SELECT id, name, phone, email, birth_date, registered_at FROM patient WHERE id = $1"

_CONSENTS: Final = """
SELECT kind, wording, wording_version, given_at FROM consent WHERE patient_id = $1 ORDER BY id LIMIT 100
"""

_INTAKES: Final = """
SELECT intake.id, reference, submitted_at, in_danger, reason, treatment, insured, intake.payer AS typed_payer,
       intake.member_id AS typed_member_id, assessment_booked_at,
       (SELECT coalesce(array_agg(side ORDER BY side DESC), '{}') FROM card_image card
        WHERE card.intake_id = intake.id) AS card_sides,
       reading.outcome AS card_outcome, reading.fields AS card_fields, reading.contradicted AS card_contradicted,
       coverage.id AS coverage_id, coverage.payer, coverage.member_id, coverage.group_number, coverage.holder,
       coverage.source, coverage.confidence
FROM intake
LEFT JOIN card_reading reading ON reading.intake_id = intake.id
LEFT JOIN coverage ON coverage.intake_id = intake.id
WHERE intake.patient_id = $1 ORDER BY submitted_at DESC LIMIT 50
"""

_LISTED: Final = """
SELECT intake.id, patient_id, patient.name, reference, submitted_at, in_danger, treatment, insured,
       assessment_booked_at,
       EXISTS (SELECT FROM card_image card WHERE card.intake_id = intake.id) AS card_received,
       (SELECT outcome FROM card_reading reading WHERE reading.intake_id = intake.id) AS card_outcome
FROM intake JOIN patient ON patient.id = intake.patient_id
"""

_WAITING: Final = f"""{_LISTED}
WHERE assessment_booked_at IS NULL
  AND ($1::text IS NULL
       OR (NOT urgent, submitted_at, intake.id) > (SELECT NOT urgent, submitted_at, id FROM intake WHERE id = $1))
ORDER BY (NOT urgent), submitted_at, intake.id LIMIT $2
"""  # noqa: S608  (no value is written into it)

_NEWEST: Final = f"""{_LISTED}
WHERE $1::text IS NULL OR (submitted_at, intake.id) < (SELECT submitted_at, id FROM intake WHERE id = $1)
ORDER BY submitted_at DESC, intake.id DESC LIMIT $2
"""  # noqa: S608

_BOOKED: Final = """
UPDATE intake SET assessment_booked_at = $2 WHERE patient_id = $1 AND assessment_booked_at IS NULL
"""


async def find_patient(connection: asyncpg.Connection, id: str) -> dict[str, Any] | None:
    """The patient with consents and intakes, newest intake first."""
    row = await connection.fetchrow(_PATIENT, id)
    if row is None:
        return None
    consents = [dict(consent) for consent in await connection.fetch(_CONSENTS, id)]
    intakes = [_intake(intake) for intake in await connection.fetch(_INTAKES, id)]
    return {**row, "consents": consents, "intakes": intakes}


async def list_intakes(
    connection: asyncpg.Connection, *, waiting: bool, after: str | None, limit: int
) -> list[dict[str, Any]]:
    """Those that wait, the urgent ones first and the longest waiting before others; or all, the newest first."""
    rows = await connection.fetch(_WAITING if waiting else _NEWEST, after, limit)
    return [dict(row) for row in rows]


async def assessment_booked(connection: asyncpg.Connection, patient: str, now: datetime) -> None:
    """The patient's intakes wait no more."""
    await connection.execute(_BOOKED, patient, now)


def _intake(row: asyncpg.Record) -> dict[str, Any]:
    intake = dict(row)
    intake["card_fields"] = json.loads(row["card_fields"]) if row["card_fields"] else []
    intake["card_contradicted"] = row["card_contradicted"] or []
    return intake
