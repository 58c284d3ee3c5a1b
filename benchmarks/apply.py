"""How many events does one process apply, exactly once each, beside the same SQL in a bare loop?

The bound: the same statement from as many connections at once as there are lanes, a transaction each, without Kafka and
without an inbox. Ours: events wait in the topic; a service in a process of its own starts and applies them. Then with
every event of 1 % of the keys failing, so that they are parked and tried again meanwhile; there the events of the
other keys count. Each measured from a tenth of the events to the last, in turns, several rounds.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from benchmarks.processes.applier import COUNT, FAILS
from benchmarks.report import Figure, report
from chassis.outbox import shard_of
from chassis.record_batch import RecordBatch, encoded
from chassis.schema import migrate
from contracts.envelope import Envelope
from contracts.ids import new_event_id
from contracts.intake import PatientRegistered
from deploy.local.engines import Engines
from deploy.local.kafka import create_topics
from deploy.local.process import Child
from deploy.local.tenants import dsn_of_tenant, ensure_tenant

PATIENTS, PARTITIONS, LANES = 5_000, 12, 16
FAILING = 0.01
BOUND_BAR, FAILURES_BAR = 0.75, 0.9
_BATCH = 500


@dataclass(frozen=True)
class Ground:
    """The engines of this run, and a schema on them."""

    engines: Engines
    dsn: str
    database: asyncpg.Connection
    folder: Path

    async def counted(self) -> int:
        return await self.database.fetchval("SELECT coalesce(sum(events), 0)::bigint FROM tally")

    async def clear(self) -> None:
        await self.database.execute("TRUNCATE tally, inbox, parked")


@asynccontextmanager
async def ground() -> AsyncGenerator[Ground]:
    with tempfile.TemporaryDirectory() as folder:
        async with Engines() as engines:
            admin = await asyncpg.connect(engines.admin_dsn)
            await ensure_tenant(admin, "applier", "applier")
            await admin.close()
            dsn = dsn_of_tenant(engines.admin_dsn, "applier", "applier")
            database = await asyncpg.connect(dsn)
            await migrate(database, Path(folder))
            await database.execute(
                "CREATE TABLE tally (patient text PRIMARY KEY, events bigint) WITH (fillfactor = 70)"
            )
            yield Ground(engines, dsn, database, Path(folder))
            await database.close()


async def bare(at: Ground, events: int) -> float:
    """Statements a second, each in a transaction of its own."""
    patients = [f"patient_{number % PATIENTS}" for number in range(events)]
    connections = [await asyncpg.connect(at.dsn) for _ in range(LANES)]
    waiting = iter(patients)

    async def work(connection: asyncpg.Connection) -> None:
        for patient in waiting:
            await connection.execute(COUNT, patient)

    async def run() -> None:
        await asyncio.gather(*(work(connection) for connection in connections))

    try:
        return await from_a_tenth(at, events, asyncio.create_task(run()))
    finally:
        for connection in connections:
            await connection.close()


async def applied(at: Ground, events: int, failing: float) -> float:
    """Events a second that had their effect."""
    prefix = f"a{secrets.token_hex(4)}-"
    counting = await publish(at, prefix + "intake.events", events, failing)
    child = await Child.start(
        "applier",
        [sys.executable, "-m", "benchmarks.processes.applier"],
        log=at.folder / "applier.log",
        env=os.environ
        | {
            "STILLWATER_APPLIER_DATABASE_URL": at.dsn,
            "STILLWATER_APPLIER_LANES": str(LANES),
            "STILLWATER_APPLIER_POOL_SIZE": str(LANES + 2),
            "STILLWATER_KAFKA": at.engines.bootstrap,
            "STILLWATER_TOPIC_PREFIX": prefix,
            "STILLWATER_TOKEN_KEY": secrets.token_hex(32),
            "STILLWATER_SEAL_KEY": secrets.token_hex(32),
        },
    )
    try:
        return await from_a_tenth(at, counting)
    finally:
        await child.kill()


async def publish(at: Ground, topic: str, events: int, failing: float) -> int:
    """Put events into the topic, `failing` of the patients' made to fail. Returns how many will be counted."""
    await create_topics(at.engines.bootstrap, [topic], partitions=PARTITIONS)
    records: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    bad = range(int(PATIENTS * failing))
    for number in range(events):
        patient = number % PATIENTS
        key, record = _record(f"patient_{patient}", number // PATIENTS + 1, FAILS if patient in bad else "Ada")
        records[shard_of(key)].append(record)
    producer = AIOKafkaProducer(bootstrap_servers=at.engines.bootstrap, enable_idempotence=True)
    await producer.start()
    for partition, ours in enumerate(records):
        for start in range(0, len(ours), _BATCH):
            batch: Any = RecordBatch(ours[start : start + _BATCH])
            await (await producer.send_batch(batch, topic, partition=partition))
    await producer.stop()
    return sum(1 for number in range(events) if number % PATIENTS not in bad)


def _record(patient: str, sequence: int, name: str) -> tuple[bytes, bytes]:
    id = new_event_id()
    envelope = Envelope(
        id=id,
        type=PatientRegistered.type,
        source="stillwater/intake",
        time=datetime.now(UTC),
        subject=patient,
        sequence=sequence,
        correlation_id=id,
    )
    body = PatientRegistered(name=name, email="ada@example.org").model_dump_json(exclude_none=True).encode()
    return envelope.key, encoded(envelope.key, envelope.to_headers(), body)


async def from_a_tenth(at: Ground, events: int, running: asyncio.Task[None] | None = None) -> float:
    """Events a second between the first tenth and the last."""

    async def counts(at_least: int) -> tuple[int, float]:
        while (counted := await at.counted()) < at_least:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
        return counted, time.monotonic()

    async with asyncio.timeout(600):
        first, began = await counts(events // 10)
        last, ended = await counts(events)
    if running:
        await running
    if last != events:
        raise RuntimeError(f"{last} effects of {events} events")
    return (last - first) / (ended - began)


async def measure(options: argparse.Namespace) -> bool:
    ways: dict[str, Callable[[Ground], Awaitable[float]]] = {
        "bare loop": lambda at: bare(at, options.events),
        "applied": lambda at: applied(at, options.events, 0),
        "applied, 1 % of the keys failing": lambda at: applied(at, options.events, FAILING),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}
    async with ground() as at:
        for _ in range(options.rounds):
            for way, run in ways.items():
                await at.clear()
                rates[way].append(await run(at))
                print(f"{way}: {rates[way][-1]:,.0f} events/s", file=sys.stderr)
    bound, healthy, failing = (statistics.median(of) for of in rates.values())
    ratios = {"bound": healthy / bound, "with_failures": failing / healthy}
    return report(
        "apply",
        [
            *(Figure(way, statistics.median(of), "/s") for way, of in rates.items()),
            Figure("of the bound", ratios["bound"], "x", f"≥ {BOUND_BAR}", ratios["bound"] >= BOUND_BAR),
            Figure(
                "with failures, of the healthy rate",
                ratios["with_failures"],
                "x",
                f"≥ {FAILURES_BAR}",
                ratios["with_failures"] >= FAILURES_BAR,
            ),
        ],
        ratios,
        f"{options.events:,} events of {PATIENTS:,} patients, {LANES} at once; medians of {options.rounds} rounds",
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks apply")
    options.add_argument("--events", type=int, default=50_000)
    options.add_argument("--rounds", type=int, default=3)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
