"""Keeps how each payer does: heard in this process, told in a small table, and read from it for every replica."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import asyncpg

from billing.payers.health import (
    ANSWERS_KEPT,
    BUSY_FOR_SECONDS,
    Condition,
    Health,
    Heard,
    after,
    with_times,
    worth_telling,
)
from chassis.database import Database

REFRESH_SECONDS = 5.0
HEALTH_CHANGED = "payer_health_changed"


class Watch:
    """What the replies of payers say about them. `heard` never waits and never raises; `keep` does the writing."""

    def __init__(self, database: Database, now: Callable[[], datetime], clock_speed: float, *, wake: str = "") -> None:
        """`wake` is the name of whoever shows it."""
        self._database = database
        self._now = now
        self._speed = clock_speed
        self._wake = wake
        self._known: dict[str, Health] = {}
        self._told: dict[str, Health] = {}
        self._seconds: dict[str, deque[float]] = {}
        self._failing_since: dict[str, datetime] = {}
        self._busy_until: dict[str, float] = {}

    @property
    def known(self) -> Mapping[str, Health]:
        """How each payer does that was ever asked, by its id."""
        return self._known

    def heard(self, payer_id: str, *, failed: bool, busy: bool, seconds: float, rest_seconds: float | None) -> None:
        """A reply came, or failed to. `rest_seconds` is how long the payer is now left alone, if it is."""
        at = self._now()
        since = self._failing_since.setdefault(payer_id, at) if failed else self._failing_since.pop(payer_id, None)
        if not failed and not busy:
            self._seconds.setdefault(payer_id, deque(maxlen=ANSWERS_KEPT)).append(seconds)
        if busy:
            self._busy_until[payer_id] = monotonic() + BUSY_FOR_SECONDS
        busy = monotonic() < self._busy_until.get(payer_id, 0.0)
        rests_until = None if rest_seconds is None else at + timedelta(seconds=rest_seconds * self._speed)
        found = after(self._known.get(payer_id), Heard(at, failed, busy, rests_until, since))
        if found is None:
            return
        now = with_times(found, self._seconds.get(payer_id, ()), at)
        self._known[payer_id] = now
        if worth_telling(self._told.get(payer_id), now):
            self._database.wakes.wake(HEALTH_CHANGED)

    async def keep(self) -> None:
        """Tell what is new, and read what others told; at least every few seconds."""
        while True:
            await self._tell()
            await self._read()
            await self._database.wakes.sleep(HEALTH_CHANGED, REFRESH_SECONDS)

    async def _tell(self) -> None:
        news = {id: now for id, now in self._known.items() if worth_telling(self._told.get(id), now)}
        if not news:
            return
        async with self._database.connection() as connection:
            for payer_id, health in sorted(news.items()):
                await _write(connection, payer_id, health)
        self._told |= news
        self._database.wakes.wake(self._wake)

    async def _read(self) -> None:
        async with self._database.connection() as connection:
            told = await read_health(connection)
        for payer_id, health in told.items():
            if (mine := self._told.get(payer_id)) is None or mine.noted_at < health.noted_at:
                self._known[payer_id] = self._told[payer_id] = health


async def read_health(connection: asyncpg.Connection) -> dict[str, Health]:
    """By payer id; as many rows as there are payers."""
    rows = await connection.fetch(
        "SELECT payer_id, condition, since, trying_again_at, median_seconds, slowest_seconds, answers, noted_at "
        "FROM payer_health"
    )
    return {row["payer_id"]: _health(row) for row in rows}


def _health(row: asyncpg.Record) -> Health:
    fields: dict[str, Any] = dict(row)
    del fields["payer_id"]
    fields["condition"] = Condition(fields["condition"])
    return Health(**fields)


async def _write(connection: asyncpg.Connection, payer_id: str, health: Health) -> None:
    await connection.execute(
        "INSERT INTO payer_health VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (payer_id) DO UPDATE SET "
        "condition = excluded.condition, since = excluded.since, trying_again_at = excluded.trying_again_at, "
        "median_seconds = excluded.median_seconds, slowest_seconds = excluded.slowest_seconds, "
        "answers = excluded.answers, noted_at = excluded.noted_at WHERE payer_health.noted_at <= excluded.noted_at",
        payer_id,
        health.condition,
        health.since,
        health.trying_again_at,
        health.median_seconds,
        health.slowest_seconds,
        health.answers,
        health.noted_at,
    )
