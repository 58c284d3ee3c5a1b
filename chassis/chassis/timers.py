"""Timers: rows that fall due at a clinic time, applied like records and retried each by itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from chassis.backoff import backoff
from chassis.database import Database
from chassis.failures import cause_of, is_infrastructure
from chassis.settings import ServiceSettings
from chassis.transaction import Transaction, unpack_cause

_NEXT_DUE = """
SELECT * FROM timer
WHERE due_at <= $1 AND given_up_at IS NULL AND name = ANY($2) AND (retry_at IS NULL OR retry_at <= clock_timestamp())
ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""

_PUT_OFF = """
UPDATE timer SET tries = $2, error = $3,
    retry_at = clock_timestamp() + make_interval(secs => $4),
    given_up_at = CASE WHEN $5 THEN clock_timestamp() END
WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Timer:
    """What was to be done, for whom, and when in clinic time. The state may have changed since: read it again."""

    name: str
    key: str
    due_at: datetime
    payload: dict[str, Any]


TimerHandler = Callable[[Transaction, Timer], Awaitable[None]]


class Timers:
    """The loop that handles due timers. Any number of replicas may run it."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database = database
        self._settings = settings
        self._handlers: dict[str, TimerHandler] = {}

    def on(self, name: str, handler: TimerHandler) -> None:
        self._handlers[name] = handler

    async def run(self) -> None:
        while self._handlers:
            if not await self.handle_one():
                await self._database.wakes.sleep("timers", 0.25)

    async def handle_one(self) -> bool:
        """Handle the timer that is due longest. Returns False when none is due."""
        async with self._database.transaction() as tx:
            row = await tx.connection.fetchrow(_NEXT_DUE, tx.now, list(self._handlers))
            if row is None:
                return False
            await self._handle(tx, row)
            return True

    async def _handle(self, tx: Transaction, row: asyncpg.Record) -> None:
        timer = Timer(row["name"], row["key"], row["due_at"], json.loads(row["payload"]))
        tx.follow(unpack_cause(row["cause"]), row["correlation_id"])
        try:
            async with tx.attempt():
                # Away with it first: its handler may set it again.
                await tx.connection.execute("DELETE FROM timer WHERE id = $1", row["id"])
                await self._handlers[timer.name](tx, timer)
        except Exception as error:
            if is_infrastructure(error):
                raise
            tries = row["tries"] + 1
            wait = backoff(tries, self._settings.retry_first_seconds, self._settings.retry_longest_seconds)
            given_up = tries >= self._settings.retry_tries
            await tx.connection.execute(_PUT_OFF, row["id"], tries, cause_of(error), wait, given_up)
