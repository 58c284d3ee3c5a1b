"""What changed between a payer's answers about one coverage, as it is kept, shown and dealt with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import asyncpg
from pydantic import BaseModel, Field, TypeAdapter

from billing.benefits.changes import ACTED_ON, Answered, Change, settled
from billing.benefits.shown import ServiceShown
from billing.verification.model import Verification
from contracts.billing import CoverageChange

Connection = asyncpg.Connection

BY_ANSWER = "answer"
"""Who has dealt with a change that a later answer has settled."""

_SERVICES = TypeAdapter(list[ServiceShown])
_CHANGES = TypeAdapter(list[CoverageChange])


class ChangedShown(BaseModel):
    """What an answer changed, and what a person is asked to do about it."""

    id: int
    at: datetime
    verification_id: str
    coverage_id: str
    patient_id: str
    changes: list[CoverageChange]
    to_do: str | None = Field(description="null where nobody has to act")
    done_at: datetime | None
    done_by: str | None = Field(description="Who marked it done; `answer` where a later answer has settled it")


async def last_answer(connection: Connection, one: Verification) -> Answered | None:
    """What the same payer answered last about the same coverage, as of the same day or an earlier one."""
    row = await connection.fetchrow(
        "SELECT outcome, plan, services FROM verification WHERE coverage_id = $1 AND verification_id <> $2 "
        "AND outcome IN ('active', 'inactive') AND payer_id IS NOT DISTINCT FROM $3 AND service_date <= $4 "
        "ORDER BY requested_at DESC, verification_id DESC LIMIT 1",
        one.coverage_id,
        one.id,
        one.payer_id,
        one.service_date,
    )
    if row is None:
        return None
    return Answered(row["outcome"] == "active", row["plan"], _SERVICES.validate_json(row["services"]))


async def keep(
    connection: Connection, one: Verification, found: Sequence[Change], to_do: str | None, now: datetime
) -> None:
    """Keep what changed; what an earlier change asked somebody to do is done where this one settles all of it."""
    await connection.execute(
        "UPDATE coverage_change SET done_at = $3, done_by = $4 WHERE coverage_id = $1 AND to_do IS NOT NULL "
        "AND done_at IS NULL "
        "AND NOT EXISTS (SELECT FROM jsonb_array_elements(changes) AS said "
        "WHERE said ->> 'kind' = ANY($5::text[]) AND said ->> 'kind' <> ALL($2::text[]))",
        one.coverage_id,
        sorted(settled(found)),
        now,
        BY_ANSWER,
        sorted(ACTED_ON),
    )
    await connection.execute(
        "INSERT INTO coverage_change (at, verification_id, coverage_id, patient_id, changes, to_do) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        now,
        one.id,
        one.coverage_id,
        one.patient_id,
        json.dumps([asdict(change) for change in found]),
        to_do,
    )


_CHANGED = "id, at, verification_id, coverage_id, patient_id, changes, to_do, done_at, done_by"


async def to_be_done(connection: Connection, after: int, limit: int) -> list[ChangedShown]:
    """What waits for a person, the oldest first."""
    rows = await connection.fetch(
        f"SELECT {_CHANGED} FROM coverage_change WHERE to_do IS NOT NULL AND done_at IS NULL AND id > $1 "  # noqa: S608
        "ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [_shown(row) for row in rows]


async def of_coverage(connection: Connection, coverage_id: str, limit: int) -> list[ChangedShown]:
    """Newest first."""
    rows = await connection.fetch(
        f"SELECT {_CHANGED} FROM coverage_change WHERE coverage_id = $1 ORDER BY id DESC LIMIT $2",  # noqa: S608
        coverage_id,
        limit,
    )
    return [_shown(row) for row in rows]


async def mark_done(connection: Connection, id: int, by: str, now: datetime) -> ChangedShown | None:
    """None where there is no such change. One that was done before stays as it was."""
    row = await connection.fetchrow(
        f"UPDATE coverage_change SET done_at = coalesce(done_at, $2), done_by = coalesce(done_by, $3) "  # noqa: S608
        f"WHERE id = $1 RETURNING {_CHANGED}",
        id,
        now,
        by,
    )
    return _shown(row) if row else None


def _shown(row: asyncpg.Record) -> ChangedShown:
    fields: dict[str, Any] = dict(row)
    fields["changes"] = _CHANGES.validate_json(row["changes"])
    return ChangedShown(**fields)
