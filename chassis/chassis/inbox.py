"""Apply one record: exactly once, in order for its key, parked when it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import asyncpg

from chassis.database import Database
from chassis.failures import cause_of, is_infrastructure
from chassis.parking import Parking
from chassis.records import Record
from chassis.telemetry import Telemetry
from chassis.transaction import Transaction
from contracts.envelope import BadEnvelope, Envelope
from contracts.event import Event
from contracts.ids import EventId

Handler = Callable[[Transaction, Event, Envelope], Awaitable[None]]

_CLAIM = """
INSERT INTO inbox (consumer, event_id)
SELECT $1, $2
WHERE NOT EXISTS (SELECT FROM parked WHERE consumer = $1 AND topic = $3 AND key = $4)
ON CONFLICT DO NOTHING
RETURNING true
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

    async def apply(self, record: Record) -> Outcome:
        """One record from the broker, all the way: applied, known already, parked, or none of our business."""
        try:
            envelope = Envelope.from_headers(record.headers)
        except BadEnvelope as error:
            await self._parking.park_raw(self.consumer, record, str(error))
            return self._counted("unknown", Outcome.PARKED)
        route = self._routes.get(envelope.type)
        if route is None:
            return self._counted(envelope.type, Outcome.IGNORED)
        return self._counted(envelope.type, await self._apply(record, envelope, route))

    async def _apply(self, record: Record, envelope: Envelope, route: Route) -> Outcome:
        while True:
            try:
                async with self._database.transaction(envelope) as tx:
                    if await self._claim(tx.connection, record, envelope.id):
                        await route.handler(tx, route.event.model_validate_json(record.body), envelope)
                        return Outcome.APPLIED
            except Exception as error:
                if is_infrastructure(error):
                    raise
                await self._parking.park_failed(self.consumer, record, envelope.id, cause_of(error))
                return Outcome.PARKED
            verdict = await self._parking.park_behind(self.consumer, record, envelope.id)
            if verdict is not None:
                return Outcome.PARKED if verdict else Outcome.DUPLICATE
            # What stood before it was settled in between: it is this record's turn after all.

    async def reapply(self, tx: Transaction, record: Record) -> None:
        """A parked record once more, inside the transaction that holds its key's head. Raises what it raises."""
        envelope = Envelope.from_headers(record.headers)
        route = self._routes[envelope.type]
        tx.cause = envelope
        fresh = await tx.connection.fetchval(
            "INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
            self.consumer,
            envelope.id,
        )
        if fresh:
            await route.handler(tx, route.event.model_validate_json(record.body), envelope)
        self._counted(envelope.type, Outcome.APPLIED if fresh else Outcome.DUPLICATE)

    async def _claim(self, connection: asyncpg.Connection, record: Record, id: EventId) -> bool:
        """Whether the record is new here and nothing of its key is parked."""
        return bool(await connection.fetchval(_CLAIM, self.consumer, id, record.topic, record.key_text))

    def _counted(self, type: str, outcome: Outcome) -> Outcome:
        self._telemetry.events_applied.labels(type if type in self._routes else "other", outcome).inc()
        return outcome
