"""The relay: publishes the outbox in order for each key, and deletes what the broker acknowledged.

The first copy of each event is published in order for its key; a late copy may follow at any time, as when a relay
dies between an acknowledgement and the delete.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import cast

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from chassis.backoff import backoff
from chassis.database import Database
from chassis.failures import cause_of
from chassis.floors import INTERVAL_SECONDS, Floors
from chassis.leases import Leases
from chassis.log import logger
from chassis.points import reached
from chassis.record_batch import RECORD_OVERHEAD_BYTES, RecordBatch
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry
from chassis.transaction import RELAY_WORKERS, relay_wake
from chassis.within import within

_REQUEST_SECONDS = 10
_GOODBYE_SECONDS = 12.0
"""More than a request may take. A producer that has not ended by then is left alone; what it still sends is a copy."""
LARGEST_BATCH_BYTES = 900_000
"""Below the topic's `max.message.bytes`, above the largest event."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
"""Seconds between two looks for what other processes have committed."""

_SESSION = {"enable_seqscan": "off", "enable_bitmapscan": "off", "synchronous_commit": "off"}
"""The outbox is empty nearly always, and may hold a hundred thousand rows a moment later. A plan made for the empty
table would read all of it, each time; so its plans go by the index whatever the statistics say. And nobody waits for
the disk: a delete that a crash takes back costs a late copy, which may come at any time anyhow.
"""

_FETCH = """
SELECT mine.shard, head.ids, head.records, head.age
FROM unnest($1::smallint[], $2::bigint[]) AS mine (shard, floor)
CROSS JOIN LATERAL (
    SELECT array_agg(waiting.id) AS ids, array_agg(waiting.record) AS records,
           extract(epoch FROM clock_timestamp() - min(waiting.created_at))::float8 AS age
    FROM (
        SELECT id, record, created_at,
               sum(octet_length(record) + $5::integer) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes
        FROM outbox WHERE outbox.shard = mine.shard AND id > mine.floor ORDER BY id LIMIT $3
    ) AS waiting
    WHERE waiting.bytes <= $4
) AS head
WHERE head.ids IS NOT NULL
"""
"""The head of each shard: at most so many rows and bytes, in order of their ids, from above its floor."""

_DELETE = "DELETE FROM outbox WHERE shard = $1 AND id = ANY ($2::bigint[])"
"""By exact ids, never by a range: a row with a lower id of another key may be committed after it was looked for."""


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
        self._floors = Floors()
        self._publishing = [asyncio.Lock() for _ in range(RELAY_WORKERS)]
        self._partitions = 1
        self._stopping = False
        self._moved_at = [time.monotonic()] * RELAY_WORKERS

    def seconds_without_progress(self) -> float:
        """How long ago the slowest worker's last round ended well, with or without something to publish."""
        return time.monotonic() - min(self._moved_at)

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
            request_timeout_ms=_REQUEST_SECONDS * 1000,
        )
        await producer.start()
        try:
            self._partitions = len(await producer.partitions_for(self._topic))
            self._floors = Floors()
            await self._leases.renew(self._floors)
            async with asyncio.TaskGroup() as tasks:
                renewing = tasks.create_task(self._keep_leases())
                watching = tasks.create_task(self._watch())
                workers = [tasks.create_task(self._work(producer, worker)) for worker in range(RELAY_WORKERS)]
                await asyncio.wait(workers)
                renewing.cancel()
                watching.cancel()
            await self._leases.resign()
        finally:
            await within(_GOODBYE_SECONDS, producer.stop())

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._leases.renewal_interval)
            before = self._leases.shards
            after = await self._leases.renew(self._floors)
            if before - after:
                for lock in self._publishing:
                    async with lock:
                        pass  # the round that may still hold a shard we lose has ended
                await self._leases.give_back()

    async def _watch(self) -> None:
        """See which writers have ended."""
        async with self._database.connection_apart(_SESSION) as connection:
            while True:
                await asyncio.sleep(INTERVAL_SECONDS)
                await self._floors.watch(connection)

    async def _work(self, producer: AIOKafkaProducer, worker: int) -> None:
        """Rounds of this worker's shards, one after another while there is something.

        Else it is woken by a commit of this process, and looks by itself for what others have committed.
        """
        pause = _SHORTEST_PAUSE
        async with self._database.connection_apart(_SESSION) as connection:
            while not self._stopping:
                async with self._publishing[worker]:
                    shards = [shard for shard in self._leases.shards if shard % RELAY_WORKERS == worker]
                    published = await self._round(producer, connection, shards) if shards else 0
                self._moved_at[worker] = time.monotonic()
                if published:
                    pause = _SHORTEST_PAUSE
                else:
                    await self._database.wakes.sleep(relay_wake(worker), pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)

    async def _round(self, producer: AIOKafkaProducer, connection: asyncpg.Connection, shards: list[int]) -> int:
        """Publish at most one batch a shard and delete what was acknowledged. Returns how many rows."""
        heads = await self._fetch(connection, shards)
        if not heads:
            return 0
        if self._leases.in_doubt:
            raise PublishingFailed("the leases were not renewed in time")
        reached("before_publish")
        fetched_at = time.monotonic()
        sent = await asyncio.gather(
            *(self._send(producer, head["shard"], head) for head in heads), return_exceptions=True
        )
        acknowledged = [head for head, failure in zip(heads, sent, strict=True) if failure is None]
        reached("after_acknowledge")
        await self._delete(connection, acknowledged)
        reached("after_delete")
        elapsed = time.monotonic() - fetched_at
        for head in acknowledged:
            self._telemetry.published.observe(head["age"] + elapsed)
        for failure in sent:
            if failure is not None:
                raise PublishingFailed from failure
        return sum(len(head["ids"]) for head in acknowledged)

    async def _fetch(self, connection: asyncpg.Connection, shards: list[int]) -> list[asyncpg.Record]:
        proven = self._floors.proven
        limits = (self._settings.relay_batch_rows, LARGEST_BATCH_BYTES, RECORD_OVERHEAD_BYTES)
        heads = await connection.fetch(_FETCH, shards, [self._floors.of(shard) for shard in shards], *limits)
        self._floors.read(shards, {head["shard"]: head["ids"] for head in heads}, proven)
        return heads

    async def _delete(self, connection: asyncpg.Connection, heads: Sequence[asyncpg.Record]) -> None:
        await connection.executemany(_DELETE, [(head["shard"], head["ids"]) for head in heads])

    async def _send(self, producer: AIOKafkaProducer, shard: int, head: asyncpg.Record) -> None:
        """One batch, acknowledged. Raises what the producer does."""
        batch = cast("BatchBuilder", RecordBatch(head["records"]))
        delivered = await producer.send_batch(batch, self._topic, partition=shard % self._partitions)
        reached("after_publish")
        await delivered


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error.__cause__ or error
