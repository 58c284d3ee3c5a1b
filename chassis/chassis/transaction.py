"""One transaction: what a handler reads, decides, writes, says, and wants done later or outside."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from pydantic import JsonValue
from uuid_utils import uuid7

from chassis import outbox
from chassis.outbox import Saying
from contracts.envelope import Envelope
from contracts.event import Event
from contracts.ids import EventId, new_event_id

Payload = Mapping[str, JsonValue]

_SET_TIMER = """
INSERT INTO timer (name, key, due_at, payload, cause, correlation_id) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name, key) DO UPDATE SET
    due_at = CASE WHEN $7 THEN least(timer.due_at, excluded.due_at) ELSE excluded.due_at END,
    payload = excluded.payload, cause = excluded.cause, correlation_id = excluded.correlation_id,
    tries = 0, retry_at = NULL, error = NULL, given_up_at = NULL
"""

_ASK_OUTSIDE = """
INSERT INTO outside_task (id, destination, purpose, subject, payload, cause, correlation_id, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8))
ON CONFLICT (destination, purpose) DO NOTHING
RETURNING id
"""


RELAY_WORKERS = 2
"""Rounds of disjoint shards under way at once: one fetches and builds while another waits for the broker."""


def relay_wake(shard: int) -> str:
    """The name under which the relay worker of a shard sleeps."""
    return f"relay:{shard % RELAY_WORKERS}"


@dataclass(slots=True)
class Transaction:
    """Open until its `async with` ends; then everything in it is committed, or nothing is.

    `now` is clinic time and the same throughout. `cause` is the event that is being handled, if any. All that follows
    from one beginning, through events, timers and outside tasks, has its `correlation_id`.
    """

    connection: asyncpg.Connection
    now: datetime
    source: str
    cause: Envelope | None = None
    _correlation_id: str | None = None
    _said: list[Saying] = field(default_factory=list[Saying])
    _wakes: set[str] = field(default_factory=set[str])

    def emit(self, event: Event, *, subject: str) -> EventId:
        """Say that `event` happened to `subject`. Published after the commit, in order for each subject."""
        body = outbox.body_of(event)
        id = new_event_id()
        if self.cause is None and self._correlation_id is None:
            self._correlation_id = id  # it begins a chain of its own
        envelope = Envelope(
            id=id,
            type=event.type,
            source=self.source,
            time=self.now,
            subject=subject,
            sequence=1,
            correlation_id=self.correlation_id,
            causation_id=self.cause.id if self.cause else None,
            traceparent=self.cause.traceparent if self.cause else None,
        )
        self._said.append(Saying(envelope, body))
        return id

    def follow(self, cause: Envelope | None, correlation_id: str | None = None) -> None:
        """What follows in this transaction comes of this event, or of the chain where no event is its cause."""
        self.cause, self._correlation_id = cause, correlation_id

    @property
    def correlation_id(self) -> str:
        """The chain of events that this belongs to; a new one where nothing came before."""
        if self.cause is not None:
            return self.cause.correlation_id
        if self._correlation_id is None:
            self._correlation_id = new_event_id()
        return self._correlation_id

    async def set_timer(
        self, name: str, key: str, due_at: datetime, payload: Payload | None = None, *, sooner_only: bool = False
    ) -> None:
        """Have the timer `name` handled for `key` at clinic time `due_at`.

        Setting it again moves it; with `sooner_only` never to a later time.
        """
        written = json.dumps(dict(payload or {}))
        await self.connection.execute(
            _SET_TIMER, name, key, due_at, written, pack_cause(self.cause), self.correlation_id, sooner_only
        )
        self._wakes.add("timers")

    async def cancel_timer(self, name: str, key: str) -> None:
        await self.connection.execute("DELETE FROM timer WHERE name = $1 AND key = $2", name, key)

    async def ask_outside(
        self,
        destination: str,
        purpose: str,
        payload: Payload,
        *,
        subject: str | None = None,
        not_before_seconds: float = 0,
    ) -> bool:
        """Decide to act on the outside world: once for each `purpose` at a `destination`, for ever.

        Returns False where that decision had been made before; nothing is changed then.
        """
        id = await self.connection.fetchval(
            _ASK_OUTSIDE,
            str(uuid7()),
            destination,
            purpose,
            subject,
            json.dumps(dict(payload)),
            pack_cause(self.cause),
            self.correlation_id,
            not_before_seconds,
        )
        self._wakes.add(f"outside:{destination}")
        return id is not None

    def wake(self, name: str) -> None:
        """Wake whoever sleeps under this name in this process (`database.wakes`), once this is committed."""
        self._wakes.add(name)

    @asynccontextmanager
    async def attempt(self) -> AsyncGenerator[None]:
        """A part that may fail alone: on an error its writes and what it said are undone, and the error raised."""
        said = len(self._said)
        try:
            async with self.connection.transaction():
                yield
        except BaseException:
            del self._said[said:]
            raise

    async def flush(self) -> frozenset[str]:
        """Write what was said. The last thing before the commit; returns what to wake after it."""
        if self._said:
            shards = await outbox.write(self.connection, self._said)
            self._wakes.update(map(relay_wake, shards))
        return frozenset(self._wakes)


def pack_cause(cause: Envelope | None) -> bytes | None:
    """An envelope as bytes, to be remembered by a timer or an outside task."""
    if cause is None:
        return None
    return json.dumps([(name, value.decode()) for name, value in cause.to_headers()]).encode()


def unpack_cause(packed: bytes | None) -> Envelope | None:
    if packed is None:
        return None
    return Envelope.from_headers([(name, value.encode()) for name, value in json.loads(packed)])
