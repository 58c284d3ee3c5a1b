"""Lanes: records of one key run in order, different keys at once; offsets advance to the finished watermark."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import TopicPartition

from chassis.backoff import backoff
from chassis.failures import cause_of
from chassis.log import logger
from chassis.points import reached
from chassis.records import Record

LARGEST_BATCH = 64
"""Records of one lane that may be applied in one transaction."""


def lane_of(key: bytes, count: int) -> int:
    """The lane of a key, by other bits of its hash than its partition's: the keys of one partition have all lanes."""
    return (zlib.crc32(key) >> 16) % count


class Watermark:
    """How far one partition is finished without a gap."""

    def __init__(self) -> None:
        self._open: deque[tuple[int, float]] = deque()
        self._finished: set[int] = set()
        self.position: int | None = None
        """The offset to resume from; None until something is finished."""

    def opened(self, offset: int, said_at: float) -> None:
        self._open.append((offset, said_at))

    @property
    def oldest(self) -> float | None:
        """When the oldest record was said that is not finished."""
        return self._open[0][1] if self._open else None

    def finished(self, offset: int) -> None:
        self._finished.add(offset)
        while self._open and self._open[0][0] in self._finished:
            done, _ = self._open.popleft()
            self._finished.discard(done)
            self.position = done + 1


class Lanes:
    """A fixed number of workers, each with a queue; a key always has the same one.

    `apply` takes the records that wait in a lane, in order. It raises only what is not a record's own fault; the lane
    then tries them again in their place.
    """

    def __init__(
        self,
        apply: Callable[[Sequence[Record]], Awaitable[object]],
        count: int,
        eased: Callable[[], object] = lambda: None,
    ) -> None:
        """`eased` is called whenever less waits than before."""
        self._apply = apply
        self._count = count
        self._eased = eased
        self._queues: list[asyncio.Queue[Record]] = [asyncio.Queue() for _ in range(count)]
        self._workers: list[asyncio.Task[None]] = []
        self._watermarks: defaultdict[TopicPartition, Watermark] = defaultdict(Watermark)
        self._idle = asyncio.Event()
        self._idle.set()
        self.backlog = 0
        self.backlog_bytes = 0
        self.moved_at = time.monotonic()

    def start(self) -> None:
        self._workers = [asyncio.create_task(self._work(queue)) for queue in self._queues]

    async def stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def submit(self, record: Record) -> None:
        """Queue a record behind every earlier one of its key. Never waits: watch `backlog`."""
        partition = TopicPartition(record.topic, record.partition)
        self._watermarks[partition].opened(record.offset, record.said_at)
        self.backlog += 1
        self.backlog_bytes += len(record.body)
        self._idle.clear()
        self._queues[lane_of(record.key, self._count)].put_nowait(record)

    async def drain(self, seconds: float) -> bool:
        """Wait until all that was submitted is finished; False when `seconds` did not suffice."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def forget(self) -> None:
        """Drop what is queued and all watermarks: the partitions may be somebody else's now."""
        for queue in self._queues:
            while not queue.empty():
                self._let_go([queue.get_nowait()])
        self._watermarks.clear()

    def finished(self) -> dict[TopicPartition, int]:
        """The offset to resume each partition from, where something was finished."""
        return {partition: mark.position for partition, mark in self._watermarks.items() if mark.position is not None}

    def oldest(self) -> float | None:
        """When the oldest record was said that is not finished, by the broker's clock; None when all are."""
        return min((at for mark in self._watermarks.values() if (at := mark.oldest) is not None), default=None)

    async def _work(self, queue: asyncio.Queue[Record]) -> None:
        while True:
            records = [await queue.get()]
            while len(records) < LARGEST_BATCH and not queue.empty():
                records.append(queue.get_nowait())
            await self._until_applied(records)
            for record in records:
                mark = self._watermarks.get(TopicPartition(record.topic, record.partition))
                if mark is not None:
                    mark.finished(record.offset)
            self._let_go(records)
            self._eased()

    def _let_go(self, records: Sequence[Record]) -> None:
        self.moved_at = time.monotonic()
        self.backlog -= len(records)
        self.backlog_bytes -= sum(len(record.body) for record in records)
        if self.backlog == 0:
            self._idle.set()

    async def _until_applied(self, records: Sequence[Record]) -> None:
        tries = 0
        while True:
            try:
                await self._apply(records)
                reached("after_apply")
                return
            except Exception as error:
                tries += 1
                logger.warning("lane_waits", cause=cause_of(error), tries=tries)
                await asyncio.sleep(backoff(tries, 0.05, 5))
