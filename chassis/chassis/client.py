"""The Kafka client of a consumer: declared with FastStream, thrown away and made anew when it is stuck.

aiokafka's consumer has been seen to hang after a broker's restart and after a rejoin; a new one does not remember.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy, Context
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from chassis.failures import cause_of
from chassis.log import logger
from chassis.records import Record
from chassis.settings import ServiceSettings
from chassis.within import within

_POLL_MS = 20
_LARGEST_POLL = 500
_LARGEST_FETCH = 128 * 1024
"""Bytes of a partition at once; a larger record comes alone. What was fetched is held several times over: raw, apart,
and in buffers."""
_GOODBYE_SECONDS = 3.0

Unreachable = (KafkaError, TimeoutError, OSError)
"""What the broker's absence looks like."""


class Client:
    """One membership in a consumer group. `received` gets every batch and must not wait."""

    def __init__(
        self,
        group: str,
        topics: list[str],
        settings: ServiceSettings,
        listener: ConsumerRebalanceListener,
        received: Callable[[list[Record]], object],
    ) -> None:
        self._received = received
        self._broker = KafkaBroker(
            settings.kafka, consumer_only=True, logger=None, log_level=logging.WARNING, apply_types=True
        )
        self._subscriber = self._broker.subscriber(
            *topics,
            group_id=group,
            batch=True,
            max_records=_LARGEST_POLL,
            batch_timeout_ms=_POLL_MS,
            fetch_max_wait_ms=250,
            max_partition_fetch_bytes=_LARGEST_FETCH,
            session_timeout_ms=int(settings.session_seconds * 1000),
            heartbeat_interval_ms=int(settings.session_seconds * 250),
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=listener,
            parser=self._parse,
            decoder=_not_decoded,
        )
        self._subscriber(self._receive)

    async def join(self, seconds: float) -> None:
        """Join the group; returns with a share of its partitions. Raises one of `Unreachable`."""
        await within(seconds, self._broker.start())

    async def leave(self) -> None:
        """Leave the group, so that others take over at once; one that hangs is cut off instead."""
        client = self._consumer
        try:
            await within(_GOODBYE_SECONDS, self._broker.stop())
        except Exception as error:
            logger.info("left_without_goodbye", cause=cause_of(error))
            if client is not None:
                await _cut_off(client)

    def pause(self) -> None:
        if client := self._consumer:
            client.pause(*client.assignment())

    def resume(self) -> None:
        if client := self._consumer:
            client.resume(*client.assignment())

    async def unread(self, seconds: float) -> int | None:
        """How many records of its partitions have not been received; None if the broker does not say so in time."""
        client = self._consumer
        if client is None:
            return None
        try:
            return await within(seconds, _unread(client))
        except Unreachable:
            return None

    async def commit(self, offsets: Mapping[TopicPartition, int], seconds: float) -> None:
        """Raises one of `Unreachable`."""
        client = self._consumer
        if client is None:
            raise KafkaError("no client")
        await within(seconds, client.commit(dict(offsets)))

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer

    # What FastStream calls

    async def _receive(self, message: Annotated[KafkaMessage, Context("message")]) -> None:
        records: Any = message.raw_message
        self._received([_record(record) for record in records])

    async def _parse(self, message: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
        """Raw: a header or a body that cannot be decoded is one record's fault, not its batch's."""
        return KafkaMessage(body=b"", raw_message=message, consumer=self._consumer or _NO_CONSUMER)


async def _unread(client: AIOKafkaConsumer) -> int:
    ends = await client.end_offsets(client.assignment())
    return sum([max(0, end - await client.position(at)) for at, end in ends.items()])


async def _cut_off(client: AIOKafkaConsumer) -> None:
    """End what a client that could not be stopped left behind: it would beat and look for its broker for ever."""
    inner: Any = client
    for part in (inner._coordinator, inner._fetcher, inner._client):
        for task in list(vars(part).values()) if part else ():
            if isinstance(task, asyncio.Task):
                task.cancel()
    with suppress(*Unreachable):
        await within(_GOODBYE_SECONDS, inner._client.close())


class _NoConsumer:
    async def commit(self) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...


_NO_CONSUMER = _NoConsumer()


async def _not_decoded(message: Awaitable[KafkaMessage] | KafkaMessage) -> None:
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
