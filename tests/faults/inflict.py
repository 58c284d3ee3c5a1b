"""Doing to the clinic what a plan says."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis import points
from contracts.envelope import Envelope
from contracts.ids import new_event_id
from contracts.registry import EVENT_TYPES
from tests.faults.evidence import POISON
from tests.faults.ground import Ground
from tests.faults.links import State
from tests.faults.plan import Plan, Step
from tests.waiting import eventually

_WHOLE_BATCH = 1_048_588
"""Kafka's own default of `max.message.bytes`."""


class Inflicting:
    """One plan on one ground. `patients` gives the people taken so far."""

    def __init__(self, ground: Ground, plan: Plan, patients: Callable[[], Sequence[str]]) -> None:
        self._ground = ground
        self._plan = plan
        self._patients = patients
        self._chance = random.Random(plan.seed)
        self.poison: set[tuple[str, int, int]] = set()
        """Topic, partition and offset of what was sent and has to be parked."""
        self.missed: list[str] = []
        """Points that nobody came to."""
        self.healed_at = 0.0
        """When the last fault ended, and everything could begin to recover."""

    async def run(self) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for step in self._plan.steps:
                group.create_task(self._carry_out(step, began))

    async def heal(self) -> None:
        """Take back what would otherwise last: points that nobody came to, second processes, clocks."""
        for step in self._plan.steps:
            if step.do == "replica":
                await self._ground.dismiss(step.whom, signal.SIGTERM)
            if step.do == "arm" and points.armed(self._ground.page(step.whom)):
                self.missed.append(f"{step.how['point']} in {step.whom}")
                points.arm(self._ground.page(step.whom))

    async def _carry_out(self, step: Step, began: float) -> None:
        await asyncio.sleep(max(0.0, began + step.at - time.monotonic()))
        do: dict[str, Callable[[Step], Awaitable[None]]] = {
            "kill": self._kill,
            "arm": self._arm,
            "replica": self._replica,
            "dismiss": partial(self._dismiss, signal.SIGTERM),
            "kill_replica": partial(self._dismiss, signal.SIGKILL),
            "pause": self._pause,
            "refuse": self._refuse,
            "kafka": self._kafka,
            "postgres": self._postgres,
            "link": self._link,
            "poison": self._poison,
            "clock": self._clock,
            "disk": self._disk,
        }
        self._ground.note(step.do, whom=step.whom, **step.how)
        await do[step.do](step)
        self._ground.note(f"end of {step.do}", whom=step.whom)
        self.healed_at = max(self.healed_at, time.time())

    async def _kill(self, step: Step) -> None:
        self._ground.kill(step.whom)

    async def _arm(self, step: Step) -> None:
        page, point = self._ground.page(step.whom), step.how["point"]
        points.arm(page, point, step.how["passages"])

        async def struck() -> bool:
            return not points.armed(page)

        try:
            await eventually(struck, within=self._plan.load_seconds + 4)
        except AssertionError:
            return
        self._ground.kills[step.whom] += 1
        self._ground.kills[f"point:{point}"] += 1

    async def _replica(self, step: Step) -> None:
        await self._ground.replica(step.whom)

    async def _dismiss(self, number: signal.Signals, step: Step) -> None:
        await self._ground.dismiss(step.whom, number)

    async def _pause(self, step: Step) -> None:
        child = self._ground.child(step.whom)
        child.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(step.how["seconds"])
        finally:
            child.send(signal.SIGCONT)

    async def _refuse(self, step: Step) -> None:
        try:
            await self._limit(step.whom, step.how["bytes"])
            await asyncio.sleep(step.how["seconds"])
        finally:
            await self._limit(step.whom, _WHOLE_BATCH)

    async def _limit(self, topic: str, largest: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._ground.engines.bootstrap)
        await admin.start()
        try:
            limits = {"max.message.bytes": str(largest)}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, limits)])
        finally:
            await admin.close()

    async def _kafka(self, step: Step) -> None:
        assert self._ground.engines.kafka
        await self._ground.engines.kafka.kill()
        self._ground.kills["kafka"] += 1
        await asyncio.sleep(step.how["seconds"])
        await self._ground.engines.start_kafka()

    async def _postgres(self, step: Step) -> None:
        postgres = self._ground.engines.postgres
        assert postgres and postgres.child
        await postgres.child.stop((signal.SIGQUIT, 10.0))  # what `pg_ctl stop -m immediate` sends
        self._ground.kills["postgres"] += 1
        await asyncio.sleep(step.how["seconds"])
        await self._ground.engines.start_postgres()

    async def _link(self, step: Step) -> None:
        with self._ground.links[step.whom].broken(State(step.how["state"]), step.how["delay_seconds"]):
            await asyncio.sleep(step.how["seconds"])

    async def _poison(self, step: Step) -> None:
        """Records that cannot be read, evenly over some seconds, to subjects of their own and of real people."""
        producer = AIOKafkaProducer(bootstrap_servers=self._ground.engines.bootstrap)
        await producer.start()
        try:
            for number in range(step.how["records"]):
                await self._send_poison(producer, step.whom, number)
                await asyncio.sleep(step.how["seconds"] / step.how["records"])
        finally:
            await producer.stop()

    async def _send_poison(self, producer: AIOKafkaProducer, topic: str, number: int) -> None:
        subject = f"{POISON}_{self._chance.randrange(5)}"
        type = self._chance.choice(sorted(one for one, event in EVENT_TYPES.items() if event.topic() == topic))
        envelope = _envelope(subject, type, number)
        match self._chance.randrange(3):
            case 0:  # an envelope as it should be, and nothing that can be read in it
                sent = await producer.send_and_wait(
                    topic, b"\xff\xfe{" * 40, key=subject.encode(), headers=envelope.to_headers()
                )
            case 1:  # no envelope at all, in the midst of what is said about a real person
                key = self._chance.choice([subject, *self._patients()]).encode()
                sent = await producer.send_and_wait(topic, b"{}", key=key, headers=[("ce_id", b"\x80")])
            case _:  # a type that nobody knows yet: not a fault
                later = _envelope(subject, type.replace(".v1", ".v9"), number)
                await producer.send_and_wait(topic, b"{}", key=subject.encode(), headers=later.to_headers())
                return
        self.poison.add((topic, sent.partition, sent.offset))

    async def _disk(self, step: Step) -> None:
        if not self._ground.disk.there:
            self.missed.append("the database's disk: nothing can be mounted here")
            return
        with self._ground.disk.filled():
            await asyncio.sleep(step.how["seconds"])

    async def _clock(self, step: Step) -> None:
        await self._ground.live_apart(step.whom, step.how["hours"])


def _envelope(subject: str, type: str, number: int) -> Envelope:
    from datetime import UTC, datetime

    id = new_event_id()
    return Envelope(id, type, "stillwater/poison", datetime.now(UTC), subject, number + 1, id)
