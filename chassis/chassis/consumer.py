"""A consumer: a Kafka group of its own, declared with FastStream, feeding lanes and committing their watermark."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Annotated, Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy, Context
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from chassis.failures import cause_of
from chassis.inbox import Inbox
from chassis.lanes import Lanes
from chassis.log import logger
from chassis.points import reached
from chassis.records import Record
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry

_POLL_MS = 20
_LARGEST_POLL = 500


class Consumer(ConsumerRebalanceListener):
    """Reads topics as one group and applies each record through an inbox."""

    def __init__(self, inbox: Inbox, topics: list[str], settings: ServiceSettings, telemetry: Telemetry) -> None:
        self._inbox = inbox
        self._settings = settings
        self._telemetry = telemetry
        self._lanes = Lanes(inbox.apply, settings.lanes)
        self._committed: dict[TopicPartition, int] = {}
        self._paused = False
        self._tasks: list[asyncio.Task[None]] = []
        self._broker = KafkaBroker(
            settings.kafka, consumer_only=True, logger=None, log_level=logging.WARNING, apply_types=True
        )
        self._subscriber = self._broker.subscriber(
            *(settings.topic_prefix + topic for topic in topics),
            group_id=f"{settings.topic_prefix}stillwater.{inbox.consumer}",
            batch=True,
            max_records=_LARGEST_POLL,
            batch_timeout_ms=_POLL_MS,
            fetch_max_wait_ms=250,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=self,
            parser=self._parse,
            decoder=_not_decoded,
        )
        self._subscriber(self._receive)

    @property
    def name(self) -> str:
        return self._inbox.consumer

    async def start(self) -> None:
        self._lanes.start()
        await self._broker.start()
        self._tasks = [asyncio.create_task(self._keep_committing())]

    async def stop(self) -> None:
        """Take nothing more, finish what was taken, commit it, and leave the group."""
        consumer = self._client
        if consumer is not None:
            consumer.pause(*consumer.assignment())
            await self._lanes.drain(self._settings.drain_seconds)
            await self._commit()
        for task in self._tasks:
            task.cancel()
        await self._broker.stop()
        await self._lanes.stop()

    def why_not_ready(self) -> str | None:
        """A reason in a few words, or None when it reads and makes progress."""
        client = self._client
        if client is None or not client.assignment():
            return f"{self.name}: no partitions assigned"
        waited = time.monotonic() - self._lanes.moved_at
        if self._lanes.backlog and waited > 30:
            return f"{self.name}: no record finished for {waited:.0f} s"
        return None

    # What FastStream and aiokafka call

    async def _receive(self, message: Annotated[KafkaMessage, Context("message")]) -> None:
        """Hand a batch to the lanes. Never waits, so that polling goes on; above its limit the consumer pauses."""
        records: Any = message.raw_message
        for record in records:
            self._lanes.submit(_record(record))
        self._pause_or_resume()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] (aiokafka awaits it)
        self, revoked: set[TopicPartition]
    ) -> None:
        """Finish what was taken before somebody else reads on; heartbeats go on meanwhile."""
        if revoked:
            await self._lanes.drain(self._settings.drain_seconds)
            await self._commit()
        self._lanes.forget()
        self._committed.clear()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] (aiokafka awaits it)
        self, assigned: set[TopicPartition]
    ) -> None:
        self._paused = False

    async def _parse(self, message: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
        """Raw: a header or a body that cannot be decoded is one record's fault, not its batch's."""
        return KafkaMessage(body=b"", raw_message=message, consumer=self._client or _NO_CLIENT)

    # Keeping up

    @property
    def _client(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer

    def _pause_or_resume(self) -> None:
        client = self._client
        if client is None:
            return
        if not self._paused and self._lanes.backlog >= self._settings.lane_backlog:
            client.pause(*client.assignment())
            self._paused = True
        elif self._paused and self._lanes.backlog <= self._settings.lane_backlog // 2:
            client.resume(*client.assignment())
            self._paused = False

    async def _keep_committing(self) -> None:
        while True:
            await asyncio.sleep(self._settings.commit_interval_seconds)
            self._pause_or_resume()
            await self._commit()
            self._measure()

    async def _commit(self) -> None:
        """Commit each partition up to where everything before is finished."""
        finished = self._lanes.finished()
        ahead = {at: offset for at, offset in finished.items() if self._committed.get(at) != offset}
        client = self._client
        if not ahead or client is None:
            return
        reached("before_offsets")
        try:
            await client.commit(ahead)
        except KafkaError as error:
            # The inbox makes a second reading harmless, so an uncommitted offset costs time only.
            logger.info("offsets_not_committed", consumer=self.name, cause=cause_of(error))
        else:
            self._committed.update(ahead)
            reached("after_offsets")

    def _measure(self) -> None:
        client = self._client
        if client is None:
            return
        ends = {at: client.highwater(at) for at in client.assignment()}
        known = [end - self._committed.get(at, end) for at, end in ends.items() if end is not None]
        lag = sum(max(0, one) for one in known)
        oldest = self._lanes.oldest()
        self._telemetry.lag_records.labels(self.name).set(lag)
        self._telemetry.lag_seconds.labels(self.name).set(max(0.0, time.time() - oldest) if oldest else 0)
        if lag == 0 or time.monotonic() - self._lanes.moved_at < 1:
            self._telemetry.progress.labels(self.name).set_to_current_time()


class _NoClient:
    async def commit(self) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...


_NO_CLIENT = _NoClient()


async def _not_decoded(message: KafkaMessage) -> None:
    return None


def _record(record: ConsumerRecord[bytes, bytes]) -> Record:
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        headers=list(record.headers),
        body=record.value or b"",
        said_at=record.timestamp / 1000,
    )
