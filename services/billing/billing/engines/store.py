"""Questions that wait for an engine, and the leases under which engines took them, by the machine's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

_TAKE = """
WITH taken AS (
    UPDATE question SET leased_until = clock_timestamp() + make_interval(secs => $4)
    WHERE trace IN (
        SELECT trace FROM question
        WHERE engine_payer = ANY($1) AND ended_at IS NULL
          AND (leased_until IS NULL OR leased_until <= clock_timestamp())
          AND EXISTS (
              SELECT FROM verification one
              WHERE one.verification_id = question.verification_id AND one.state = 'asking' AND questions = number
          )
        ORDER BY decided_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    RETURNING trace, leased_until
)
INSERT INTO engine_lease (trace, actor, until) SELECT trace, $3, leased_until FROM taken
RETURNING lease_id, trace, until
"""

_LEASE = """
SELECT l.lease_id, l.trace, l.until, l.fate, l.digest, v.patient_id, v.verification_id,
       q.ended_at IS NULL AND v.state = 'asking' AND q.number = v.questions AS counts
FROM engine_lease l JOIN question q USING (trace) JOIN verification v USING (verification_id)
WHERE l.lease_id = $1 AND l.actor = $2
"""


class Fate(StrEnum):
    """What became of a lease."""

    TAKEN = "taken"
    """Its answer decided."""
    LATE = "late"
    """Its answer came when the question was open no more, and changed nothing."""
    RELEASED = "released"
    """It was given back."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A question that an engine holds until then."""

    lease_id: UUID
    trace: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A lease and what has become of it. `counts`: an answer would still decide something."""

    lease_id: UUID
    trace: str
    until: datetime
    fate: Fate | None
    digest: bytes | None
    patient_id: str
    verification_id: str
    counts: bool


async def for_engine(connection: asyncpg.Connection, trace: str, payer_id: str) -> None:
    """Let engines take a question."""
    await connection.execute("UPDATE question SET engine_payer = $2 WHERE trace = $1", trace, payer_id)


async def take(
    connection: asyncpg.Connection, payers: Sequence[str], limit: int, actor: str, seconds: float
) -> list[Lease]:
    """The questions that have waited longest and that nobody holds."""
    rows = await connection.fetch(_TAKE, list(payers), limit, actor, seconds)
    return [Lease(**dict(row)) for row in rows]


async def held(connection: asyncpg.Connection, lease_id: UUID, actor: str) -> Held | None:
    row = await connection.fetchrow(_LEASE, lease_id, actor)
    if row is None:
        return None
    known: dict[str, Any] = dict(row)
    known["fate"] = known["fate"] and Fate(known["fate"])
    return Held(**known)


async def give_back(connection: asyncpg.Connection, lease: Held) -> None:
    """Whoever asks next may take it, unless this lease has run out and another engine holds the question by now."""
    await connection.execute(
        "UPDATE question SET leased_until = NULL WHERE trace = $1 AND leased_until = $2", lease.trace, lease.until
    )


async def lock(connection: asyncpg.Connection, lease_id: UUID) -> None:
    await connection.execute("SELECT FROM engine_lease WHERE lease_id = $1 FOR UPDATE", lease_id)


async def end(
    connection: asyncpg.Connection, lease_id: UUID, fate: Fate, digest: bytes | None = None, answer: bytes | None = None
) -> None:
    """`answer` is kept with the lease only where it came too late to be the question's evidence."""
    await connection.execute(
        "UPDATE engine_lease SET ended_at = clock_timestamp(), fate = $2, digest = $3, answer = $4 WHERE lease_id = $1",
        lease_id,
        fate,
        digest,
        answer,
    )
