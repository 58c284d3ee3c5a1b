"""Apply one record: exactly once, in order for its key, parked when it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import asyncpg

from chassis.database import Database
from chassis.failures import cause_of, is_infrastructure
from chassis.parking import Parking
from chassis.records import Record
from chassis.telemetry import Telemetry
from chassis.transaction import Transaction
from contracts.envelope import BadEnvelope, Envelope
from contracts.event import Event

Handler = Callable[[Transaction, Event, Envelope], Awaitable[None]]

# OFFSET 0 has each key looked up by the index. A join, planned while nothing is parked, would read all that ever is.
# Arrays are of text, as in the outbox.
_CLAIM = """
WITH said AS (
    SELECT event_id::uuid, EXISTS (
        SELECT FROM parked WHERE consumer = $1 AND parked.topic = of.topic AND parked.key = of.key OFFSET 0
    ) AS held
    FROM unnest($2::text[], $3::text[], $4::text[]) AS of (event_id, topic, key)
), claimed AS (
    INSERT INTO inbox (consumer, event_id) SELECT $1, event_id FROM said WHERE NOT held
    ON CONFLICT DO NOTHING
    RETURNING event_id
)
SELECT event_id::text, false AS held FROM claimed
UNION ALL
SELECT event_id::text, true FROM said
WHERE held AND NOT EXISTS (SELECT FROM inbox WHERE consumer = $1 AND inbox.event_id = said.event_id OFFSET 0)
"""


class Outcome(StrEnum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"
    PARKED = "parked"
    IGNORED = "ignored"
    """A type that this consumer has no handler for."""


@dataclass(frozen=True, slots=True)
class Route:
    """What to do with one type of event."""

    event: type[Event]
    handler: Handler


class _Received(NamedTuple):
    """A record that was understood."""

    record: Record
    envelope: Envelope
    route: Route


class Inbox:
    """One consumer's way of applying records. Raises only what is not the record's own fault."""

    def __init__(
        self,
        consumer: str,
        routes: Mapping[str, Route],
        database: Database,
        parking: Parking,
        telemetry: Telemetry,
    ) -> None:
        self.consumer = consumer
        self._routes = routes
        self._database = database
        self._parking = parking
        self._telemetry = telemetry

    async def apply(self, records: Sequence[Record]) -> None:
        """Records from the broker, in order, all the way: applied, known already, parked, or none of our business.

        What waits together is applied in one transaction. One that fails has its own, between those before and after.
        """
        await self._settle([one for record in records if (one := await self._read(record)) is not None])

    async def _read(self, record: Record) -> _Received | None:
        """A record that there is something to do about; any other is done with here."""
        try:
            envelope = Envelope.from_headers(record.headers)
        except BadEnvelope as error:
            await self._parking.park_raw(self.consumer, record, str(error))
            self._count(["unknown"], Outcome.PARKED)
            return None
        route = self._routes.get(envelope.type)
        if route is None:
            self._count([envelope.type], Outcome.IGNORED)
            return None
        return _Received(record, envelope, route)

    async def _settle(self, received: list[_Received]) -> None:
        if len(received) < 2:
            for one in received:
                self._count([one.envelope.type], await self._alone(one))
            return
        under_way: _Received | None = None
        fresh, known, behind = list[_Received](), list[_Received](), list[_Received]()
        try:
            async with self._database.transaction() as tx:
                claimed, held = await self._claim(tx.connection, received)
                for one in received:
                    if one.envelope.id not in claimed:
                        (behind if one.envelope.id in held else known).append(one)
                        continue
                    claimed.discard(one.envelope.id)  # it may be in here twice
                    under_way = one
                    await self._handle(tx, one)
                    fresh.append(one)
                under_way = None
                parked, left = await self._park_behind(tx, behind)
        except Exception:
            # Where none was under way, the commit failed: halves come down to the one that cannot be committed.
            at = received.index(under_way) if under_way else len(received) // 2
            await self._settle(received[:at])
            await self._settle(received[at : at + 1])
            await self._settle(received[at + 1 :])
            return
        self._count([one.envelope.type for one in fresh], Outcome.APPLIED)
        self._count([one.envelope.type for one in known], Outcome.DUPLICATE)
        self._count([one.envelope.type for one in parked], Outcome.PARKED)
        for one in left:
            self._count([one.envelope.type], await self._alone(one))

    async def _alone(self, one: _Received) -> Outcome:
        while True:
            try:
                async with self._database.transaction() as tx:
                    claimed, held = await self._claim(tx.connection, [one])
                    if claimed:
                        await self._handle(tx, one)
                        return Outcome.APPLIED
                    if not held:
                        return Outcome.DUPLICATE
            except Exception as error:
                if is_infrastructure(error):
                    raise
                await self._parking.park_failed(self.consumer, one.record, one.envelope.id, cause_of(error))
                return Outcome.PARKED
            async with self._database.transaction() as tx:
                if await self._behind(tx, one, patient=True):
                    return Outcome.PARKED

    async def _park_behind(self, tx: Transaction, held: Sequence[_Received]) -> tuple[list[_Received], list[_Received]]:
        """Park what is held by its key. Returns what was; and what is left, since what stands before it is being tried.

        Whoever tries that may wait for what this transaction has locked, so it does not wait for them.
        """
        parked, left = list[_Received](), list[_Received]()
        keys_left = set[tuple[str, bytes]]()
        for one in held:
            key = (one.record.topic, one.record.key)
            # What follows one that is left is left too, even if the try has just ended: they keep their order.
            if key not in keys_left and await self._behind(tx, one, patient=False):
                parked.append(one)
            else:
                keys_left.add(key)
                left.append(one)
        return parked, left

    async def _behind(self, tx: Transaction, one: _Received, *, patient: bool) -> bool:
        return await self._parking.park_behind(
            tx.connection, self.consumer, one.record, one.envelope.id, patient=patient
        )

    async def _handle(self, tx: Transaction, one: _Received) -> None:
        tx.follow(one.envelope)
        await one.route.handler(tx, one.route.event.model_validate_json(one.record.body), one.envelope)

    async def reapply(self, tx: Transaction, record: Record) -> None:
        """A parked record once more, inside the transaction that holds its key's head. Raises what it raises."""
        envelope = Envelope.from_headers(record.headers)
        one = _Received(record, envelope, self._routes[envelope.type])
        fresh = await tx.connection.fetchval(
            "INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
            self.consumer,
            envelope.id,
        )
        if fresh:
            await self._handle(tx, one)
        self._count([envelope.type], Outcome.APPLIED if fresh else Outcome.DUPLICATE)

    async def _claim(self, connection: asyncpg.Connection, received: Sequence[_Received]) -> tuple[set[str], set[str]]:
        """The ids of those that may be applied now, and of those that have something of their key parked before them.

        What is in neither was applied before.
        """
        ids = [one.envelope.id for one in received]
        topics = [one.record.topic for one in received]
        keys = [one.record.key_text for one in received]
        claimed, held = set[str](), set[str]()
        for row in await connection.fetch(_CLAIM, self.consumer, ids, topics, keys):
            (held if row["held"] else claimed).add(row["event_id"])
        return claimed, held

    def _count(self, types: Iterable[str], outcome: Outcome) -> None:
        for type, number in Counter(types).items():
            self._telemetry.events_applied.labels(type if type in self._routes else "other", outcome).inc(number)
