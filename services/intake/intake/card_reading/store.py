"""The tables of card reading."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
from pydantic import TypeAdapter

from contracts.ids import IntakeId
from contracts.intake import CardField, CardRead, CoverageReported
from intake.card_reading.model import Typed
from intake.uploads.keyring import WrappedKey

_CARDS: Final = "SELECT side, object, size, key_id, wrapped_key FROM card_image WHERE intake_id = $1"

_CARD_OF_PATIENT: Final = """
SELECT card.side, card.object, card.size, card.key_id, card.wrapped_key
FROM intake JOIN card_image card ON card.intake_id = intake.id
WHERE intake.patient_id = $1 AND card.side = $2
ORDER BY intake.submitted_at DESC, intake.id DESC LIMIT 1
"""

_TYPED: Final = "SELECT payer, member_id FROM intake WHERE id = $1 FOR UPDATE"

_READING: Final = """
INSERT INTO card_reading (intake_id, outcome, fields, contradicted, seconds, read_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""

_COVERAGE: Final = """
INSERT INTO coverage (id, intake_id, payer, member_id, group_number, holder, source, confidence, contradicted,
                      reported_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

_KNOWN: Final = "SELECT object FROM card_image WHERE object = ANY ($1::text[])"

_FIELDS: Final = TypeAdapter(tuple[CardField, ...])


@dataclass(frozen=True, slots=True)
class CardRow:
    """One stored image, its key still wrapped."""

    side: str
    object: str
    size: int
    key: WrappedKey


async def find_cards(connection: asyncpg.Connection, intake: IntakeId) -> list[CardRow]:
    """Front and back of one intake, as far as they were sent."""
    return [_card(row) for row in await connection.fetch(_CARDS, intake)]


async def find_card(connection: asyncpg.Connection, patient: str, side: str) -> CardRow | None:
    """The latest image of this side that the patient sent."""
    row = await connection.fetchrow(_CARD_OF_PATIENT, patient, side)
    return _card(row) if row else None


async def lock_typed(connection: asyncpg.Connection, intake: IntakeId) -> Typed:
    """What was typed; the intake stays locked until the transaction ends."""
    row = await connection.fetchrow(_TYPED, intake)
    assert row is not None, "an intake is never deleted"
    return Typed(row["payer"], row["member_id"])


async def add_reading(connection: asyncpg.Connection, read: CardRead, now: datetime) -> None:
    fields = _FIELDS.dump_json(read.fields).decode()
    await connection.execute(_READING, read.intake_id, read.outcome, fields, list(read.contradicted), read.seconds, now)


async def add_coverage(
    connection: asyncpg.Connection, intake: IntakeId, coverage: CoverageReported, now: datetime
) -> None:
    await connection.execute(
        _COVERAGE,
        coverage.coverage_id,
        intake,
        coverage.payer,
        coverage.member_id,
        coverage.group,
        coverage.holder,
        coverage.source,
        coverage.confidence,
        list(coverage.contradicted),
        now,
    )


async def known_objects(connection: asyncpg.Connection, names: Collection[str]) -> set[str]:
    """Those of `names` that a row knows."""
    return {row["object"] for row in await connection.fetch(_KNOWN, list(names))}


def _card(row: asyncpg.Record) -> CardRow:
    return CardRow(row["side"], row["object"], row["size"], WrappedKey(row["key_id"], row["wrapped_key"]))
