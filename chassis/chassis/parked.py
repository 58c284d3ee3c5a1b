"""Parked records as a person sees and settles them: look, have the next try now, or give one up for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from chassis.database import Database
from chassis.parking import unsealed
from chassis.records import Record
from chassis.retrying import settle
from chassis.tokens import Actor

MOST_COUNTED = 1_000
"""Of the records behind a head."""

_SHOWN = (
    "id, consumer, topic, partition, record_offset, key, event_id, reason, cause, tries, parked_at, due_at, given_up_at"
)

_HEADS = f"""
SELECT {_SHOWN}, (
    SELECT count(*) FROM (
        SELECT FROM parked AS later WHERE later.consumer = head.consumer AND later.topic = head.topic
        AND later.key = head.key AND later.id > head.id LIMIT {MOST_COUNTED}
    ) AS counted
) AS behind
FROM parked AS head WHERE reason <> 'behind' AND id > $1 ORDER BY id LIMIT $2
"""  # noqa: S608 (constants of ours)

_OF_KEY = f"""
SELECT {_SHOWN}, 0 AS behind FROM parked WHERE key = $3 AND id > $1 ORDER BY id LIMIT $2
"""  # noqa: S608

_FIND = "SELECT * FROM parked WHERE id = $1"
_HEAD_OF = "SELECT id FROM parked WHERE consumer = $1 AND topic = $2 AND key = $3 ORDER BY id LIMIT 1 FOR UPDATE"

_MAKE_DUE = """
UPDATE parked SET due_at = clock_timestamp(), given_up_at = NULL, tries = 0 WHERE id = $1
"""

_NOTE = """
INSERT INTO parked_decision (actor, role, decision, why, parked_id, consumer, topic, partition, record_offset, key,
                             event_id, cause, tries, record)
SELECT $2, $3, $4, $5, id, consumer, topic, partition, record_offset, key, event_id, cause, tries,
       CASE WHEN $4 = 'discarded' THEN record END
FROM parked WHERE id = $1
"""

# Read once more, from before its offset was committed, it must not come to effect after all.
_NEVER_AGAIN = "INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"

_DECISIONS = """
SELECT id, at, actor, role, decision, why, parked_id, consumer, topic, partition, record_offset, key, event_id, cause,
       tries
FROM parked_decision WHERE id < $1 ORDER BY id DESC LIMIT $2
"""


class NotParked(LookupError):
    """No record with this id is parked: it was settled, or never was."""


class NotTheHead(Exception):
    """An earlier record of the same key stands before this one."""

    def __init__(self, head: int) -> None:
        super().__init__(f"record {head} of the same key stands before it")
        self.head = head


class Choice(StrEnum):
    """What a person may decide about a parked record."""

    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that waits. `behind` counts later ones of its key, up to MOST_COUNTED."""

    id: int
    consumer: str
    topic: str
    partition: int
    record_offset: int
    key: str
    event_id: UUID | None
    reason: str
    cause: str
    tries: int
    parked_at: datetime
    due_at: datetime | None
    given_up_at: datetime | None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what about which record, and when."""

    id: int
    at: datetime
    actor: str
    role: str
    decision: Choice
    why: str | None
    parked_id: int
    consumer: str
    topic: str
    partition: int
    record_offset: int
    key: str
    event_id: UUID | None
    cause: str
    tries: int


class ParkedRecords:
    """The parked records of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, after: int, limit: int, key: str | None = None) -> list[Parked]:
        """The first of each key, or all of one; in the order in which they were parked."""
        async with self._database.connection() as connection:
            rows = await (
                connection.fetch(_HEADS, after, limit) if key is None else connection.fetch(_OF_KEY, after, limit, key)
            )
        return [Parked(**dict(row)) for row in rows]

    async def opened(self, connection: asyncpg.Connection, id: int) -> tuple[Parked, Record]:
        """One record and what is in it, which may be anybody's PHI. Raises NotParked."""
        row = await connection.fetchrow(_FIND, id)
        if row is None:
            raise NotParked
        fields = {name: value for name, value in row.items() if name != "record"}
        return Parked(**fields), unsealed(self._database.seal, row)

    async def replay(self, id: int, actor: Actor) -> None:
        """Have the head of a key tried at once, by the same handler; those behind it follow in order.

        Raises NotParked or NotTheHead.
        """
        async with self._database.transaction() as tx:
            await _lock_head(tx.connection, id)
            await tx.connection.execute(_MAKE_DUE, id)
            await _note(tx.connection, id, actor, Choice.REPLAYED, None)
        self._database.wakes.wake("parked")

    async def discard(self, id: int, actor: Actor, why: str) -> None:
        """Give up the head of a key for good; the next one's turn has come. Raises NotParked or NotTheHead."""
        async with self._database.transaction() as tx:
            head = await _lock_head(tx.connection, id)
            await _note(tx.connection, id, actor, Choice.DISCARDED, why)
            if head["event_id"] is not None:
                await tx.connection.execute(_NEVER_AGAIN, head["consumer"], head["event_id"])
            await settle(tx.connection, head)
        self._database.wakes.wake("parked")

    async def decisions(self, before: int, limit: int) -> list[Decision]:
        """Newest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_DECISIONS, before, limit)
        return [_decision(row) for row in rows]


def _decision(row: asyncpg.Record) -> Decision:
    fields: dict[str, Any] = {**row, "decision": Choice(row["decision"])}
    return Decision(**fields)


async def _lock_head(connection: asyncpg.Connection, id: int) -> asyncpg.Record:
    row = await connection.fetchrow(_FIND, id)
    if row is None:
        raise NotParked
    head: int | None = await connection.fetchval(_HEAD_OF, row["consumer"], row["topic"], row["key"])
    if head is None or head > id:
        raise NotParked  # it was settled while we waited for the lock
    if head != id:
        raise NotTheHead(head)
    return row


async def _note(connection: asyncpg.Connection, id: int, actor: Actor, choice: Choice, why: str | None) -> None:
    await connection.execute(_NOTE, id, actor.name, actor.role.value, choice.value, why)
