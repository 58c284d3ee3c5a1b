"""The relay: publishes the outbox in order for each key, and deletes what the broker acknowledged.

The first copy of each event is published in order for its key; a late copy may follow at any time, as when a relay
dies between an acknowledgement and the delete.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import asyncpg
from aiokafka import AIOKafkaProducer

from chassis.backoff import backoff
from chassis.database import Database
from chassis.failures import cause_of
from chassis.leases import Leases
from chassis.log import logger
from chassis.outbox import unpacked
from chassis.points import reached
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry
from chassis.transaction import RELAY_WORKERS, relay_wake

LARGEST_BATCH_BYTES = 900_000
"""Below the topic's `max.message.bytes`, above the largest event."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25

_FETCH = """
SELECT waiting.* FROM unnest($1::smallint[]) AS mine (shard)
CROSS JOIN LATERAL (
    SELECT outbox.shard, id, key, headers, body, extract(epoch FROM clock_timestamp() - created_at)::float8 AS age
    FROM outbox WHERE outbox.shard = mine.shard ORDER BY id LIMIT $2
) AS waiting
"""

# By exact ids, never by a range: a row with a lower id of another key may be committed after our fetch.
_DELETE = """
DELETE FROM outbox USING unnest($1::smallint[], $2::bigint[]) AS gone (shard, id)
WHERE outbox.shard = gone.shard AND outbox.id = gone.id
"""


class PublishingFailed(Exception):
    """This producer is done for: it may neither be reused nor trusted to keep order."""


class Relay:
    """Publishes the shards that this process holds leases on, to one topic."""

    def __init__(self, topic: str, database: Database, settings: ServiceSettings, telemetry: Telemetry) -> None:
        self._topic = topic
        self._database = database
        self._settings = settings
        self._telemetry = telemetry
        self._leases = Leases(database, settings.lease_seconds)
        self._publishing = [asyncio.Lock() for _ in range(RELAY_WORKERS)]
        self._partitions = 1
        self._stopping = False
        self._moved_at = time.monotonic()

    def seconds_without_progress(self) -> float:
        """How long ago a round last ended well, with or without something to publish."""
        return time.monotonic() - self._moved_at

    async def run(self) -> None:
        """Publish until stopped. Each failure ends the producer; the next starts from the first row left."""
        failures = 0
        while not self._stopping:
            try:
                await self._one_producer()
                failures = 0
            except* Exception as group:
                failures += 1
                logger.warning("relay_failed", cause=cause_of(_first(group)), failures=failures)
                await asyncio.sleep(backoff(failures, 0.1, 5))

    async def stop(self) -> None:
        """End after the rounds under way, and free the leases for whoever follows."""
        self._stopping = True
        for worker in range(RELAY_WORKERS):
            self._database.wakes.wake(relay_wake(worker))

    async def _one_producer(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka,
            enable_idempotence=True,
            max_batch_size=LARGEST_BATCH_BYTES,
            max_request_size=4 * LARGEST_BATCH_BYTES,
            request_timeout_ms=10_000,
        )
        await producer.start()
        try:
            self._partitions = len(await producer.partitions_for(self._topic))
            await self._leases.renew()
            async with asyncio.TaskGroup() as tasks:
                renewing = tasks.create_task(self._keep_leases())
                workers = [tasks.create_task(self._work(producer, worker)) for worker in range(RELAY_WORKERS)]
                await asyncio.wait(workers)
                renewing.cancel()
            await self._leases.resign()
        finally:
            await producer.stop()

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._leases.renewal_interval)
            before = self._leases.shards
            after = await self._leases.renew()
            if before - after:
                for lock in self._publishing:
                    async with lock:
                        pass  # the round that may still hold a shard we lose has ended
                await self._leases.give_back()

    async def _work(self, producer: AIOKafkaProducer, worker: int) -> None:
        """Rounds of this worker's shards, at once after a commit of this process, else by an adaptive poll."""
        pause = _SHORTEST_PAUSE
        while not self._stopping:
            async with self._publishing[worker]:
                shards = [shard for shard in self._leases.shards if shard % RELAY_WORKERS == worker]
                published = await self._round(producer, shards) if shards else 0
            self._moved_at = time.monotonic()
            if published or await self._database.wakes.sleep(relay_wake(worker), pause):
                pause = _SHORTEST_PAUSE
            else:
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _round(self, producer: AIOKafkaProducer, shards: list[int]) -> int:
        """Publish at most one batch a shard and delete what was acknowledged. Returns how many rows."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_FETCH, shards, self._settings.relay_batch_rows)
        if not rows:
            return 0
        if self._leases.in_doubt:
            raise PublishingFailed("the leases were not renewed in time")
        reached("before_publish")
        fetched_at = time.monotonic()
        sent = await asyncio.gather(
            *(self._send(producer, shard, list(of_shard)) for shard, of_shard in groupby(rows, itemgetter("shard"))),
            return_exceptions=True,
        )
        acknowledged = [row for one in sent if isinstance(one, list) for row in one]
        reached("after_acknowledge")
        await self._delete(acknowledged)
        reached("after_delete")
        elapsed = time.monotonic() - fetched_at
        for row in acknowledged:
            self._telemetry.published.observe(row["age"] + elapsed)
        for one in sent:
            if isinstance(one, BaseException):
                raise PublishingFailed from one
        return len(acknowledged)

    async def _send(
        self, producer: AIOKafkaProducer, shard: int, rows: Sequence[asyncpg.Record]
    ) -> list[asyncpg.Record]:
        """One batch from the head of a shard, acknowledged. Returns the rows that fitted into it."""
        batch = producer.create_batch()
        fitted: list[asyncpg.Record] = []
        for row in rows:
            if (
                batch.append(timestamp=None, key=row["key"], value=row["body"], headers=unpacked(row["headers"]))
                is None
            ):
                break
            fitted.append(row)
        batch.close()
        delivered = await producer.send_batch(batch, self._topic, partition=shard % self._partitions)
        reached("after_publish")
        await delivered
        return fitted

    async def _delete(self, rows: Sequence[asyncpg.Record]) -> None:
        if rows:
            async with self._database.connection() as connection:
                await connection.execute(_DELETE, [row["shard"] for row in rows], [row["id"] for row in rows])


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error.__cause__ or error
