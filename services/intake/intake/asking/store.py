"""The tables of a request for help."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from contracts.ids import IntakeId, PatientId
from intake.asking.model import HelpRequest
from intake.uploads.keyring import WrappedKey

_PATIENT: Final = """
INSERT INTO patient (id, name, phone, email, birth_date, registered_at) VALUES ($1, $2, $3, $4, $5, $6)
"""

_INTAKE: Final = """
INSERT INTO intake (id, patient_id, reference, receipt, submitted_at, in_danger, reason, treatment, insured,
                    payer, member_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (reference) DO NOTHING RETURNING true
"""

_CONSENT: Final = """
INSERT INTO consent (patient_id, kind, wording, wording_version, given_at) VALUES ($1, $2, $3, $4, $5)
"""

_CARD: Final = """
INSERT INTO card_image (intake_id, side, object, size, key_id, wrapped_key, stored_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

_RECEIPT: Final = """
SELECT reference, in_danger IS TRUE AS in_danger FROM intake WHERE receipt = $1
"""


@dataclass(frozen=True, slots=True)
class StoredCard:
    """One cleaned image in the store, and its key as the database may know it."""

    side: str
    """`front` or `back`."""
    object: str
    size: int
    """Bytes of the clear JPEG."""
    key: WrappedKey


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the confirmation page tells."""

    reference: str
    in_danger: bool


async def add_patient(connection: asyncpg.Connection, id: PatientId, request: HelpRequest, now: datetime) -> None:
    await connection.execute(_PATIENT, id, request.name, request.phone, request.email, request.birth_date, now)


async def add_intake(
    connection: asyncpg.Connection,
    id: IntakeId,
    patient: PatientId,
    request: HelpRequest,
    now: datetime,
    *,
    reference: str,
    receipt: str,
) -> bool:
    """False where the reference is taken already; then nothing was written."""
    added = await connection.fetchval(
        _INTAKE,
        id,
        patient,
        reference,
        receipt,
        now,
        request.in_danger,
        request.reason,
        request.treatment,
        request.insured,
        request.payer,
        request.member_id,
    )
    return bool(added)


async def add_consent(
    connection: asyncpg.Connection, patient: PatientId, now: datetime, *, kind: str, wording: str, version: str
) -> None:
    await connection.execute(_CONSENT, patient, kind, wording, version, now)


async def add_cards(
    connection: asyncpg.Connection, intake: IntakeId, cards: Collection[StoredCard], now: datetime
) -> None:
    rows = [(intake, c.side, c.object, c.size, c.key.key_id, c.key.wrapped, now) for c in cards]
    await connection.executemany(_CARD, rows)


async def find_receipt(connection: asyncpg.Connection, receipt: str) -> Receipt | None:
    row = await connection.fetchrow(_RECEIPT, receipt)
    return Receipt(**row) if row else None
