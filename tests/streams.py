"""The streams as other services see them: saying events, and reading what was said."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.settings import ServiceSettings
from contracts.envelope import Envelope
from contracts.event import Event
from contracts.ids import EventId, new_event_id
from contracts.registry import EVENT_TYPES, TOPICS
from tests.waiting import eventually

E = TypeVar("E", bound=Event)


class Streams:
    """Every stream of one test's house."""

    def __init__(self, prefix: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._prefix, self._producer, self._consumer = prefix, producer, consumer
        self._sequence = 0
        self._heard: list[tuple[str, Event]] = []

    async def say(self, subject: str, *events: Event, id: EventId | None = None, at: datetime | None = None) -> None:
        """Publish events about a subject, in order; as the very event `id` and `at` that clinic time, if given."""
        for event in events:
            self._sequence += 1
            id_ = id or new_event_id()
            envelope = Envelope(
                id=id_,
                type=event.type,
                source="stillwater/test",
                time=at or datetime.now(UTC),
                subject=subject,
                sequence=self._sequence,
                correlation_id=id_,
            )
            body = event.model_dump_json(exclude_none=True).encode()
            await self._producer.send_and_wait(
                self._prefix + event.topic(), body, key=envelope.key, headers=envelope.to_headers()
            )

    async def heard(
        self, kind: type[E], count: int = 1, *, about: str | None = None, which: Callable[[E], bool] = lambda _: True
    ) -> list[E]:
        """Wait for `count` events of a kind, and give all that have come so far; for none, listen for half a second."""

        def found() -> list[E]:
            return [
                event
                for subject, event in self._heard
                if isinstance(event, kind) and about in (None, subject) and which(event)
            ]

        async def enough() -> bool:
            await self._listen()
            return len(found()) >= count

        for _ in range(0 if count else 10):
            await self._listen()
        await eventually(enough)
        return found()

    async def _listen(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=50)).values():
            for record in records:
                envelope = Envelope.from_headers(record.headers)
                event = EVENT_TYPES[envelope.type].model_validate_json(record.value or b"")
                self._heard.append((envelope.subject, event))


@asynccontextmanager
async def streams(settings: ServiceSettings) -> AsyncIterator[Streams]:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    consumer = AIOKafkaConsumer(
        *(settings.topic_prefix + topic for topic in TOPICS),
        bootstrap_servers=settings.kafka,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
    )
    await producer.start()
    await consumer.start()
    try:
        yield Streams(settings.topic_prefix, producer, consumer)
    finally:
        await consumer.stop()
        await producer.stop()
