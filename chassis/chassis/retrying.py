"""Parked records are tried again: the head of each key, with growing pauses, until they pass or a person decides."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from chassis.backoff import backoff
from chassis.database import Database
from chassis.failures import cause_of, is_infrastructure
from chassis.inbox import Inbox
from chassis.parking import unsealed
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry
from chassis.transaction import Transaction

_NEXT_DUE_HEAD = """
SELECT * FROM parked WHERE due_at <= clock_timestamp() AND consumer = ANY($1)
ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""

_MAKE_NEXT_DUE = """
UPDATE parked SET due_at = clock_timestamp()
WHERE id = (SELECT id FROM parked WHERE consumer = $1 AND topic = $2 AND key = $3 ORDER BY id LIMIT 1)
"""

_PUT_OFF = """
UPDATE parked SET tries = $2, cause = $3, reason = 'failed',
    due_at = CASE WHEN $4 THEN NULL ELSE clock_timestamp() + make_interval(secs => $5) END,
    given_up_at = CASE WHEN $4 THEN clock_timestamp() END
WHERE id = $1
"""


class Retrying:
    """The loop that gives parked records their next try. Any number of replicas may run it."""

    def __init__(
        self, inboxes: Mapping[str, Inbox], database: Database, settings: ServiceSettings, telemetry: Telemetry
    ) -> None:
        self._inboxes = inboxes
        self._database = database
        self._settings = settings
        self._retries = telemetry.parked_retries

    async def run(self) -> None:
        while True:
            if not await self.retry_one():
                await self._database.wakes.sleep("parked", 0.5)

    async def retry_one(self) -> bool:
        """Try the head that is due longest. Returns False when none is due."""
        async with self._database.transaction() as tx:
            row = await tx.connection.fetchrow(_NEXT_DUE_HEAD, list(self._inboxes))
            if row is None:
                return False
            await self._retry(tx, row)
            return True

    async def _retry(self, tx: Transaction, row: asyncpg.Record) -> None:
        try:
            async with tx.attempt():
                await self._inboxes[row["consumer"]].reapply(tx, unsealed(self._database.seal, row))
                await settle(tx.connection, row)
            self._retries.labels("applied").inc()
        except Exception as error:
            if is_infrastructure(error):
                raise
            tries = row["tries"] + 1
            given_up = tries >= self._settings.retry_tries
            wait = backoff(tries, self._settings.retry_first_seconds, self._settings.retry_longest_seconds)
            await tx.connection.execute(_PUT_OFF, row["id"], tries, cause_of(error), given_up, wait)
            self._retries.labels("failed").inc()


async def settle(connection: asyncpg.Connection, head: asyncpg.Record) -> None:
    """Take a head away, inside the transaction that holds its lock, and make the next of its key due."""
    await connection.execute("DELETE FROM parked WHERE id = $1", head["id"])
    await connection.execute(_MAKE_NEXT_DUE, head["consumer"], head["topic"], head["key"])
