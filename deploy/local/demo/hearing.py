"""Everything that is said while the demo runs, by whom it is about."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer

from contracts.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Heard:
    """One event: which, by which service, when. Nothing of what it says about a person."""

    id: str
    event: str
    """`coverage_verified`."""
    service: str
    at: datetime


class Hearing:
    """What was said about each subject, first copies only, in the order in which it was heard."""

    def __init__(self) -> None:
        self._said: defaultdict[str, dict[str, Heard]] = defaultdict(dict)
        self.keys_and_headers: list[str] = []
        """As they were on the broker: nothing about a person may stand there."""
        self._news = asyncio.Event()

    def about(self, subject: str) -> list[Heard]:
        return sorted(self._said[subject].values(), key=lambda one: one.at)

    def counts(self, subject: str) -> Counter[str]:
        return Counter(one.event for one in self._said[subject].values())

    def subjects(self) -> set[str]:
        """Everybody of whom anything was said."""
        return {subject for subject, said in self._said.items() if said}

    def times(self, event: str) -> int:
        """How often something was said, of whomever."""
        return sum(one.event == event for said in self._said.values() for one in said.values())

    async def until(self, satisfied: Callable[[], bool], within: float) -> bool:
        """Wait until that holds, looking whenever something is heard. False when the seconds are over before."""
        try:
            async with asyncio.timeout(within):
                while not satisfied():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def quiet(self, seconds: float, within: float) -> None:
        """Wait until nothing has been said for so long: what is doubled would have come by then."""
        try:
            async with asyncio.timeout(within):
                while True:
                    self._news.clear()
                    try:
                        await asyncio.wait_for(self._news.wait(), seconds)
                    except TimeoutError:
                        return
        except TimeoutError:
            return

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Until cancelled."""
        async for record in consumer:
            envelope = Envelope.from_headers(record.headers)
            stream, event, _ = envelope.type.split(".")
            self._said[envelope.subject].setdefault(envelope.id, Heard(envelope.id, event, stream, envelope.time))
            self.keys_and_headers.append(f"{record.key} {record.headers}")
            self._news.set()


@asynccontextmanager
async def hearing(bootstrap: str, topics: Sequence[str]) -> AsyncGenerator[Hearing]:
    """Hear every topic from its beginning."""
    heard = Hearing()
    async with AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
    ) as consumer:
        listening = asyncio.create_task(heard.listen(consumer))
        try:
            yield heard
        finally:
            listening.cancel()
