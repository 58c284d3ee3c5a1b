"""What is forgotten, and when: rows that have done their work, a bounded batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg

from chassis.database import Database
from chassis.failures import cause_of
from chassis.log import logger
from chassis.settings import ServiceSettings

BATCH: Final = 1_000
_PAUSE_SECONDS: Final = 0.05
"""Between two batches, so that forgetting never stands in the way of work."""

Forget = Callable[[asyncpg.Connection, timedelta, int], Awaitable[int]]
"""Forgets at most so many rows older than so long by the machine's clock. Returns how many it was."""

# Each walks an index from its oldest end; SKIP LOCKED keeps replicas out of each other's way.
_INBOX: Final = """
DELETE FROM inbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM inbox WHERE applied_at < clock_timestamp() - $1::interval
    ORDER BY applied_at LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""

# The row stays: it says that the decision was made, for ever.
_OUTSIDE_TASKS: Final = """
UPDATE outside_task SET payload = '{}', cause = NULL, subject = NULL, purged_at = clock_timestamp()
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM outside_task
    WHERE ended_at < clock_timestamp() - $1::interval AND outcome <> 'unapplied' AND purged_at IS NULL
    ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""


def _by(statement: str) -> Forget:
    async def forget(connection: asyncpg.Connection, older_than: timedelta, limit: int) -> int:
        done = await connection.execute(statement, older_than, limit)
        return int(done.rpartition(" ")[2])

    return forget


forget_old_inbox_rows: Final = _by(_INBOX)
purge_old_outside_tasks: Final = _by(_OUTSIDE_TASKS)


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of row, how to forget it, and after how long."""

    name: str
    forget: Forget
    older_than: timedelta


class Retention:
    """Applies every rule again and again. Any number of replicas may."""

    def __init__(self, database: Database, settings: ServiceSettings, answers: Forget) -> None:
        self._database = database
        self._interval = settings.retention_interval_seconds
        self.rules = (
            Rule("inbox", forget_old_inbox_rows, timedelta(days=settings.inbox_days)),
            Rule("outside_task", purge_old_outside_tasks, timedelta(days=settings.outside_task_days)),
            Rule("idempotent_answer", answers, timedelta(days=settings.answer_days)),
        )

    async def run(self) -> None:
        while True:
            for rule in self.rules:
                try:
                    await self.forget(rule)
                except Exception as error:
                    logger.warning("nothing_forgotten", table=rule.name, cause=cause_of(error))
            await asyncio.sleep(self._interval)

    async def forget(self, rule: Rule) -> int:
        """Forget all that is old enough. Returns how many rows."""
        total = 0
        while True:
            async with self._database.connection() as connection:
                forgotten = await rule.forget(connection, rule.older_than, BATCH)
            total += forgotten
            if forgotten < BATCH:
                return total
            await asyncio.sleep(_PAUSE_SECONDS)
