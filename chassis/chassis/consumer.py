"""A consumer: a Kafka group of its own, feeding lanes and committing their watermark. It replaces a stuck client."""

from __future__ import annotations

import asyncio
import time
from math import nan

from aiokafka import ConsumerRebalanceListener, TopicPartition

from chassis.backoff import backoff
from chassis.client import Client, Unreachable
from chassis.failures import cause_of
from chassis.inbox import Inbox
from chassis.lanes import Lanes
from chassis.log import logger
from chassis.points import reached
from chassis.progress import Progress, Seen
from chassis.records import Record
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry

_LOOK_SECONDS = 1.0
_LANES_PATIENCE_SECONDS = 30.0


class Consumer(ConsumerRebalanceListener):
    """Reads topics as one group and applies each record through an inbox."""

    def __init__(self, inbox: Inbox, topics: list[str], settings: ServiceSettings, telemetry: Telemetry) -> None:
        self._inbox = inbox
        self._group = f"{settings.topic_prefix}stillwater.{inbox.consumer}"
        self._topics = [settings.topic_prefix + topic for topic in topics]
        self._settings = settings
        self._telemetry = telemetry
        self._lanes = Lanes(inbox.apply, settings.lanes, self._pause_or_resume)
        self._client: Client | None = None
        self._progress = Progress(time.monotonic())
        self._joined = asyncio.Event()
        self._received = 0
        self._committed: dict[TopicPartition, int] = {}
        self._paused = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def name(self) -> str:
        return self._inbox.consumer

    def start(self) -> None:
        """Begin to read. What keeps it from reading is tried again until it stops."""
        self._lanes.start()
        self._tasks = [asyncio.create_task(self._keep_reading()), asyncio.create_task(self._keep_committing())]

    async def joined(self) -> None:
        """Wait until it has its share of the partitions."""
        await self._joined.wait()

    async def stop(self) -> None:
        """Take nothing more, finish what was taken, commit it, and leave the group."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            self._client.pause()
            await self._lanes.drain(self._settings.drain_seconds)
            await self._commit()
            await self._client.leave()
        await self._lanes.stop()

    def why_not_ready(self) -> str | None:
        """A reason in a few words, or None when it reads and makes progress."""
        if stalled := self._progress.stalled(time.monotonic(), self._settings.stall_seconds / 2):
            return f"{self.name}: {stalled}"
        waited = time.monotonic() - self._lanes.moved_at
        if self._lanes.backlog and waited > _LANES_PATIENCE_SECONDS:
            return f"{self.name}: no record finished for {waited:.0f} s"
        return None if self._joined.is_set() else f"{self.name}: no partitions assigned"

    # One client after another

    async def _keep_reading(self) -> None:
        failures = 0
        while True:
            client = self._client = Client(
                f"{self._settings.topic_prefix}stillwater.{self.name}",
                self._topics,
                self._settings,
                self,
                self._receive,
            )
            self._progress = Progress(time.monotonic())
            try:
                await client.join(2 * self._settings.session_seconds + self._settings.stall_seconds)
            except Unreachable as error:
                failures += 1
                logger.info("not_joined", consumer=self.name, cause=cause_of(error), tries=failures)
            else:
                failures = 0
                why = await self._until_stalled(client)
                logger.warning("consumer_restarts", consumer=self.name, why=why)
                self._telemetry.restarts.labels(self.name).inc()
            await client.leave()
            self._taken_back()  # what it took and has not finished is read again
            await asyncio.sleep(backoff(failures, 0.25, 2) if failures else 0)

    async def _until_stalled(self, client: Client) -> str:
        """Returns what stands in the way once this client has made no progress for too long."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            unread = await client.unread(self._settings.stall_seconds / 4)
            now = time.monotonic()
            self._telemetry.lag_records.labels(self.name).set(nan if unread is None else unread + self._lanes.backlog)
            self._progress.look(Seen(now, self._joined.is_set(), self._received, unread, self._paused))
            if stalled := self._progress.stalled(now, self._settings.stall_seconds):
                return stalled

    def _taken_back(self) -> None:
        self._joined.clear()
        self._lanes.forget()
        self._committed.clear()

    # What the client calls

    def _receive(self, records: list[Record]) -> None:
        """Hand a batch to the lanes. Never waits, so that polling goes on; above its limit the consumer pauses."""
        for record in records:
            self._lanes.submit(record)
        self._received += len(records)
        self._pause_or_resume()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] (aiokafka awaits it)
        self, revoked: set[TopicPartition]
    ) -> None:
        """Finish what was taken before somebody else reads on; heartbeats go on meanwhile."""
        if revoked:
            await self._lanes.drain(self._settings.drain_seconds)
            await self._commit()
        self._taken_back()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] (aiokafka awaits it)
        self, assigned: set[TopicPartition]
    ) -> None:
        self._paused = False
        self._joined.set()

    # Keeping up

    def _pause_or_resume(self) -> None:
        if self._client is None:
            return
        full = max(
            self._lanes.backlog / self._settings.lane_backlog,
            self._lanes.backlog_bytes / self._settings.lane_backlog_bytes,
        )
        if not self._paused and full >= 1:
            self._client.pause()
            self._paused = True
        elif self._paused and full <= 0.5:
            self._client.resume()
            self._paused = False

    async def _keep_committing(self) -> None:
        while True:
            await asyncio.sleep(self._settings.commit_interval_seconds)
            await self._commit()
            self._measure()

    async def _commit(self) -> None:
        """Commit each partition up to where everything before is finished."""
        finished = self._lanes.finished()
        ahead = {at: offset for at, offset in finished.items() if self._committed.get(at) != offset}
        if not ahead or self._client is None:
            return
        reached("before_offsets")
        try:
            await self._client.commit(ahead, self._settings.session_seconds)
        except Unreachable as error:
            # The inbox makes a second reading harmless, so an uncommitted offset costs time only.
            logger.info("offsets_not_committed", consumer=self.name, cause=cause_of(error))
        else:
            self._committed.update(ahead)
            reached("after_offsets")

    def _measure(self) -> None:
        oldest = self._lanes.oldest()
        self._telemetry.lag_seconds.labels(self.name).set(max(0.0, time.time() - oldest) if oldest else 0)
        idle = self._joined.is_set() and not self._lanes.backlog
        if idle or time.monotonic() - self._lanes.moved_at < 1:
            self._telemetry.progress.labels(self.name).set_to_current_time()
