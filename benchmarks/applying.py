"""Events that wait in a topic, and a service in a process of its own that applies them: shared ground of benchmarks."""

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer

from benchmarks.processes.applier import FAILS
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
_BATCH = 400
_COUNTED = "SELECT coalesce(sum(events), 0)::bigint FROM tally WHERE patient >= 'patient_' AND patient < 'patient_:'"
_FILL = """
WITH added AS (
    INSERT INTO outbox (shard, record) SELECT n % 12, $1 FROM generate_series(1, $2::int) AS n RETURNING shard, id
)
SELECT max(id) AS last FROM added GROUP BY shard
"""
_LEFT = """
SELECT EXISTS (SELECT FROM generate_series(0, 11) AS shard JOIN outbox USING (shard) WHERE id = ANY ($1::bigint[]))
"""
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Ground:
    """The engines of this run, and a schema on them."""

    engines: Engines
    dsn: str
    database: asyncpg.Connection
    folder: Path

    async def counted(self) -> int:
        """Reads the patients' own rows by the index, however many others are in the table."""
        return await self.database.fetchval(_COUNTED)

    async def clear(self) -> None:
        await self.database.execute("TRUNCATE tally, applied, inbox, parked, outbox, outside_task")

    @asynccontextmanager
    async def applier(self, prefix: str, **knobs: object) -> AsyncGenerator[Child]:
        """The service that applies what topics with this prefix hold, until the end of the block."""
        settings = {"lanes": LANES, "pool_size": LANES + 2} | knobs
        own = {f"STILLWATER_APPLIER_{name.upper()}": str(value) for name, value in settings.items()}
        where = {
            "STILLWATER_APPLIER_DATABASE_URL": self.dsn,
            "STILLWATER_KAFKA": self.engines.bootstrap,
            "STILLWATER_TOPIC_PREFIX": prefix,
        }
        async with _process(self.folder, "applier", [], keys() | own | where) as child:
            yield child

    async def fill_outbox(self, rows: int) -> list[int]:
        """So many events of 400 bytes at once, over all shards. Returns the last id of each shard."""
        id = new_event_id()
        envelope = Envelope(id, PatientRegistered.type, "stillwater/intake", datetime.now(UTC), "patient", 1, id)
        record = encoded(envelope.key, envelope.to_headers(), b"x" * 400)
        return [row["last"] for row in await self.database.fetch(_FILL, record, rows, timeout=600)]

    async def are_published(self, last: list[int]) -> None:
        """Returns once the last of each shard has been acknowledged. Reads these by the index, and nothing deleted."""
        while await self.database.fetchval(_LEFT, last):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)

    async def outbox_is_empty(self) -> None:
        """Returns once everything in it has been acknowledged."""
        while await self.database.fetchval("SELECT EXISTS (SELECT FROM outbox)"):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


@asynccontextmanager
async def relaying(dsn: str, bootstrap: str, topic: str, folder: Path) -> AsyncGenerator[Child]:
    """A process that publishes a schema's outbox to a topic, until the end of the block."""
    where = {"STILLWATER_RELAY_DATABASE_URL": dsn, "STILLWATER_KAFKA": bootstrap}
    async with _process(folder, "relay", [topic], keys() | where) as child:
        yield child


@asynccontextmanager
async def _process(folder: Path, name: str, words: list[str], settings: dict[str, str]) -> AsyncGenerator[Child]:
    child = await Child.start(
        name,
        [sys.executable, "-m", f"benchmarks.processes.{name}", *words],
        log=folder / f"{name}.log",
        env=os.environ | settings,
    )
    try:
        yield child
    finally:
        await child.kill()


def keys() -> dict[str, str]:
    """What every service is told: keys of its own for each process, since nobody here reads another's."""
    return {f"STILLWATER_{name}_KEY": secrets.token_hex(32) for name in ("TOKEN", "SEAL")}


@asynccontextmanager
async def ground() -> AsyncGenerator[Ground]:
    with tempfile.TemporaryDirectory() as folder:
        async with Engines() as engines:
            admin = await asyncpg.connect(engines.admin_dsn)
            await ensure_tenant(admin, "applier", "applier")
            await admin.close()
            dsn = dsn_of_tenant(engines.admin_dsn, "applier", "applier")
            database = await asyncpg.connect(dsn, server_settings={"enable_seqscan": "off"})  # looks shall cost little
            await migrate(database, Path(folder))
            await database.execute(
                'CREATE TABLE tally (patient text COLLATE "C" PRIMARY KEY, events bigint) WITH (fillfactor = 70);'
                "CREATE TABLE applied ("
                "    number bigint GENERATED ALWAYS AS IDENTITY, patient text, sequence bigint, by int)"
            )
            yield Ground(engines, dsn, database, Path(folder))
            await database.close()


async def publish(at: Ground, topic: str, events: int, failing: float) -> int:
    """Put events into the topic, `failing` of the patients' made to fail. Returns how many will be counted."""
    await create_topics(at.engines.bootstrap, [topic], partitions=PARTITIONS)
    records: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    bad = range(int(PATIENTS * failing))
    for number in range(events):
        patient = number % PATIENTS
        key, record = _record(f"patient_{patient}", number // PATIENTS + 1, FAILS if patient in bad else "Ada")
        records[shard_of(key)].append(record)
    await send(at.engines.bootstrap, topic, records)
    return sum(1 for number in range(events) if number % PATIENTS not in bad)


async def send(bootstrap: str, topic: str, records: Sequence[Sequence[bytes]]) -> None:
    """Put encoded records into a topic, those of each partition in order."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        for partition, ours in enumerate(records):
            for start in range(0, len(ours), _BATCH):
                batch: Any = RecordBatch(ours[start : start + _BATCH])
                await (await producer.send_batch(batch, topic, partition=partition))


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


def a_prefix() -> str:
    """Topics and groups of its own for each run."""
    return f"a{secrets.token_hex(4)}-"


def megabytes(child: Child, *, peak: bool = False) -> float:
    """Of a process: what it holds, or the most that it ever held."""
    if not peak:
        return psutil.Process(child.pid).memory_info().rss / _MEGABYTE
    status = Path(f"/proc/{child.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
