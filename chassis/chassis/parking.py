"""Parking: a record that fails waits with every later record of its key, and everything else flows.

A key's rows are in order of `id`; the first is its head. Whoever adds behind a head or settles it holds the head's
row lock, so a record can neither slip past a head nor be left behind one that is gone.
"""

from __future__ import annotations

import asyncpg

from chassis.backoff import backoff
from chassis.database import Database
from chassis.records import Record
from chassis.seal import Seal
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry
from contracts.ids import EventId

FAILED, BEHIND, UNDECODABLE = "failed", "behind", "undecodable"

_PARK = """
INSERT INTO parked (consumer, topic, partition, record_offset, key, event_id, record, reason, cause, tries, due_at,
                    given_up_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $8 = 'failed' THEN 1 ELSE 0 END,
       CASE WHEN $8 = 'failed' THEN clock_timestamp() + make_interval(secs => $10) END,
       CASE WHEN $8 = 'undecodable' THEN clock_timestamp() END
WHERE NOT EXISTS (SELECT FROM inbox WHERE consumer = $1 AND event_id = $6)
ON CONFLICT (consumer, topic, partition, record_offset) DO NOTHING
"""

_PARK_BEHIND = """
WITH head AS (
    SELECT FROM parked WHERE id = (SELECT min(id) FROM parked WHERE consumer = $1 AND topic = $2 AND key = $5)
    FOR UPDATE {locked}
), parking AS (
    INSERT INTO parked (consumer, topic, partition, record_offset, key, event_id, record, reason, cause)
    SELECT $1, $2, $3, $4, $5, $6, $7, 'behind', 'waits for its turn' FROM head
    ON CONFLICT (consumer, topic, partition, record_offset) DO NOTHING
)
SELECT EXISTS (SELECT FROM head)
"""
_PATIENTLY, _IMPATIENTLY = (_PARK_BEHIND.format(locked=locked) for locked in ("", "SKIP LOCKED"))


class Parking:
    """Where records wait. What is stored of them is sealed."""

    def __init__(self, database: Database, settings: ServiceSettings, telemetry: Telemetry) -> None:
        self._database = database
        self._settings = settings
        self._telemetry = telemetry

    async def park_failed(self, consumer: str, record: Record, id: EventId, cause: str) -> None:
        """Park a record that failed by itself. It becomes its key's head."""
        async with self._database.transaction() as tx:
            await self._insert(tx.connection, consumer, record, record.key_text, id, FAILED, cause)

    async def park_raw(self, consumer: str, record: Record, cause: str) -> None:
        """Park what cannot be told apart from garbage: alone, for a person, holding nothing up."""
        key = f"{UNDECODABLE}:{record.topic}/{record.partition}@{record.offset}"
        async with self._database.transaction() as tx:
            await self._insert(tx.connection, consumer, record, key, None, UNDECODABLE, cause)

    async def park_behind(
        self, connection: asyncpg.Connection, consumer: str, record: Record, id: EventId, *, patient: bool
    ) -> bool:
        """Park a record behind the head of its key. Returns whether it is parked now.

        If not, its key has no head any more; or, without patience, its head is being tried at this moment.
        """
        place = (consumer, record.topic, record.partition, record.offset)
        statement = _PATIENTLY if patient else _IMPATIENTLY
        sealed = self._sealed(record, place)
        is_parked = bool(await connection.fetchval(statement, *place, record.key_text, id, sealed))
        if is_parked:
            self._telemetry.parkings.labels(consumer, BEHIND).inc()
        return is_parked

    def _sealed(self, record: Record, place: tuple[str, str, int, int]) -> bytes:
        return self._database.seal.seal(record.packed(), context=_context(*place))

    async def _insert(
        self,
        connection: asyncpg.Connection,
        consumer: str,
        record: Record,
        key: str,
        id: EventId | None,
        reason: str,
        cause: str,
    ) -> None:
        wait = backoff(1, self._settings.retry_first_seconds, self._settings.retry_longest_seconds)
        place = (consumer, record.topic, record.partition, record.offset)
        await connection.execute(_PARK, *place, key, id, self._sealed(record, place), reason, cause, wait)
        self._telemetry.parkings.labels(consumer, reason).inc()


def unsealed(seal: Seal, row: asyncpg.Record) -> Record:
    """The record of a parked row."""
    place = (row["topic"], row["partition"], row["record_offset"])
    packed = seal.open(row["record"], context=_context(row["consumer"], *place))
    return Record.unpacked(packed, topic=place[0], partition=place[1], offset=place[2])


def _context(consumer: str, topic: str, partition: int, offset: int) -> bytes:
    return f"parked:{consumer}:{topic}:{partition}:{offset}".encode()
