"""How fast do events get from the outbox to the broker, beside Debezium's outbox event router?

The same rows with the same headers and keys, in the same Postgres, to the same broker: our relay in a process of its
own, Debezium 3.4 in its best setting and in its default, in turns, each warmed up, several rounds. First all rows
become visible by one commit, and the clock runs until the broker has them all; then some come each second, each
committed alone, and a consumer stops the time from commit to receipt. What arrived is compared, record by record.
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from benchmarks.applying import megabytes, relaying
from benchmarks.debezium.connect import TUNED, Outbox, debezium
from benchmarks.report import Figure, paired, report
from chassis import outbox
from chassis.record_batch import encoded
from chassis.schema import migrate
from contracts.envelope import Envelope
from contracts.ids import EventId, new_event_id
from deploy.local.engines import Engines
from deploy.local.kafka import create_topics
from deploy.local.process import Child
from deploy.local.tenants import dsn_of_tenant, ensure_tenant

PATIENTS, BODY_BYTES, PARTITIONS = 5_000, 400, 12
RELAY, TUNED_PEER, DEFAULT_PEER = "relay", "debezium, tuned", "debezium, default"
BARS = {"rows_per_s": 3.0, "p50_default": 1 / 20, "p50_tuned": 1 / 2, "memory": 1 / 5}
_WARM_UPS, _MEASURED = 3, 5
"""Times that all rows are sent: neither Java's compiler, the broker's nor Connect's, should be at work while it is
measured; and of what is measured the median counts.
"""
_CONSTANT = {"content-type": "application/json"}
_HEADERS = (
    "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_sequence", "ce_correlationid",
    "ce_causationid", "traceparent",
)  # fmt: skip
_PEER_TABLE = f"""
CREATE SCHEMA peer;
CREATE TABLE peer.outbox (
    id uuid PRIMARY KEY, topic text NOT NULL, key text NOT NULL, payload text NOT NULL,
    {", ".join(f"{name} text NOT NULL" for name in _HEADERS)}
)
"""


@dataclass(frozen=True)
class Said:
    """An event as the outbox gets it."""

    envelope: Envelope
    body: bytes

    def row_of_ours(self) -> tuple[object, ...]:
        key = self.envelope.key
        return outbox.shard_of(key), encoded(key, self.envelope.to_headers(), self.body)

    def row_of_peer(self, topic: str) -> tuple[object, ...]:
        headers = {name: value.decode() for name, value in self.envelope.to_headers()}
        return self.envelope.id, topic, self.envelope.subject, self.body.decode(), *(headers[name] for name in _HEADERS)


@dataclass
class Contender:
    """One way from the outbox to the broker, and what was measured of it, a value a round."""

    name: str
    topic: str
    tuning: dict[str, str] = field(default_factory=dict[str, str])
    rates: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    memory: list[float] = field(default_factory=list[float])
    p50: list[float] = field(default_factory=list[float])
    p99: list[float] = field(default_factory=list[float])


def events(count: int) -> list[Said]:
    """For each patient in turn; every header filled."""
    subjects = [f"patient_{new_event_id()}" for _ in range(PATIENTS)]
    return [_event(subjects[number % PATIENTS], number // PATIENTS + 1) for number in range(count)]


def _event(subject: str, sequence: int) -> Said:
    id = new_event_id()
    envelope = Envelope(
        id=id,
        type="intake.patient_registered.v1",
        source="stillwater/intake",
        time=datetime.now(UTC),
        subject=subject,
        sequence=sequence,
        correlation_id=new_event_id(),
        causation_id=EventId(new_event_id()),
        traceparent=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
    )
    body = json.dumps({"id": id, "text": ""})
    return Said(envelope, json.dumps({"id": id, "text": "x" * (BODY_BYTES - len(body))}).encode())


class Trial:
    """The engines of this run, the tables of both, and a consumer."""

    def __init__(self, engines: Engines, ours: str, admin: asyncpg.Connection, writer: asyncpg.Connection) -> None:
        self.engines, self.ours, self.admin, self.writer = engines, ours, admin, writer
        self.consumer = AIOKafkaConsumer(bootstrap_servers=engines.bootstrap, fetch_max_wait_ms=500)

    async def commit_all(self, to: Contender, said: Sequence[Said]) -> None:
        """All rows visible at once."""
        if to.name == RELAY:
            columns = ("shard", "record")
            rows = [one.row_of_ours() for one in said]
            await self.writer.copy_records_to_table("outbox", records=rows, columns=columns)
        else:
            rows = [one.row_of_peer(to.topic) for one in said]
            await self.admin.copy_records_to_table("outbox", schema_name="peer", records=rows)

    async def commit_one(self, to: Contender, one: Said) -> None:
        if to.name == RELAY:
            await self.writer.execute("INSERT INTO outbox (shard, record) VALUES ($1, $2)", *one.row_of_ours())
        else:
            row = one.row_of_peer(to.topic)
            values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
            await self.admin.execute(f"INSERT INTO peer.outbox VALUES ({values})", *row)

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        return await self.consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])

    async def arrived(self, topic: str, count: int, within: float = 180) -> None:
        async def enough() -> bool:
            return sum((await self.ends(topic)).values()) >= count

        await eventually(enough, within, every=0.02)

    async def clean_up(self) -> None:
        """Nobody should pay for what whoever came before has left to the database and the disk to do."""
        await self.admin.execute("VACUUM relay.outbox")
        await self.admin.execute("VACUUM peer.outbox")
        await self.admin.execute("CHECKPOINT")
        await asyncio.to_thread(os.sync)

    async def outbox_is_empty(self) -> bool:
        return await self.writer.fetchval("SELECT count(*) FROM outbox") == 0

    async def peer_streams(self) -> bool:
        return await self.admin.fetchval("SELECT bool_or(active) FROM pg_replication_slots") or False

    async def read(
        self, topic: str, since: dict[TopicPartition, int], count: int
    ) -> list[ConsumerRecord[bytes, bytes]]:
        self.consumer.assign(list(since))
        for partition, offset in since.items():
            self.consumer.seek(partition, offset)
        found: list[ConsumerRecord[bytes, bytes]] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                for records in (await self.consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found


async def eventually(look: Callable[[], Awaitable[bool]], within: float = 60, *, every: float = 0.1) -> None:
    async with asyncio.timeout(within):
        while not await look():  # noqa: ASYNC110 - neither the broker nor the database tells
            await asyncio.sleep(every)


async def many(trial: Trial, who: Contender, said: Sequence[Said]) -> float:
    """Rows a second from the commit of all to the broker's having them all."""
    before = sum((await trial.ends(who.topic)).values())
    await trial.commit_all(who, said)
    began = time.monotonic()
    await trial.arrived(who.topic, before + len(said))
    return len(said) / (time.monotonic() - began)


async def few(trial: Trial, who: Contender, per_second: int, seconds: float) -> list[float]:
    """Milliseconds from each commit to its receipt."""
    since = await trial.ends(who.topic)
    said = events(int(per_second * seconds))
    committed: dict[str, float] = {}

    async def write() -> None:
        began = time.monotonic()
        for number, one in enumerate(said):
            await asyncio.sleep(began + number / per_second - time.monotonic())
            await trial.commit_one(who, one)
            committed[one.envelope.id] = time.monotonic()

    latencies: list[float] = []
    trial.consumer.assign(list(since))
    for partition, offset in since.items():
        trial.consumer.seek(partition, offset)
    writing = asyncio.create_task(write())
    async with asyncio.timeout(seconds + 60):
        while len(latencies) < len(said):
            for records in (await trial.consumer.getmany(timeout_ms=100)).values():
                now = time.monotonic()
                for record in records:
                    id = dict(record.headers)["ce_id"].decode()
                    latencies.append(1000 * max(0.0, now - committed.get(id, now)))
    await writing
    return latencies


def same(records: Sequence[ConsumerRecord[bytes, bytes]], said: Sequence[Said]) -> None:
    """Every event once, in order for its key, with its envelope and body. Raises AssertionError otherwise."""
    expected = {one.envelope.id: one for one in said}
    last: dict[bytes, int] = {}
    for record in records:
        headers = [(name, value) for name, value in record.headers if name != "id"]  # Debezium's own addition
        one = expected.pop(EventId(dict(headers)["ce_id"].decode()))
        assert sorted(headers) == sorted(one.envelope.to_headers()), (headers, one.envelope.to_headers())
        assert (record.key, record.value) == (one.envelope.key, one.body)
        assert last.get(one.envelope.key, 0) < one.envelope.sequence
        last[one.envelope.key] = one.envelope.sequence
    assert not expected


@asynccontextmanager
async def running(trial: Trial, who: Contender, folder: Path) -> AsyncGenerator[Child]:
    if who.name != RELAY:
        peer = Outbox(trial.engines.admin_dsn, "peer.outbox", _HEADERS, _CONSTANT)
        async with debezium(peer, trial.engines.bootstrap, folder / secrets.token_hex(3), who.tuning) as child:
            await eventually(trial.peer_streams)
            yield child
        await trial.admin.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        return
    async with relaying(trial.ours, trial.engines.bootstrap, who.topic, folder) as child:
        yield child


async def one_round(trial: Trial, who: Contender, folder: Path, options: argparse.Namespace, check: bool) -> None:
    async with running(trial, who, folder) as child:
        process = psutil.Process(child.pid)
        for _ in range(_WARM_UPS):
            await many(trial, who, events(options.rows))
        rates: list[float] = []
        spent = 0.0
        for number in range(_MEASURED):
            await trial.clean_up()
            said = events(options.rows)
            since, before = await trial.ends(who.topic), _cpu_seconds(process)
            rates.append(await many(trial, who, said))
            spent += _cpu_seconds(process) - before
            if check and number == 0:
                same(await trial.read(who.topic, since, options.rows), said)
        who.rates.append(statistics.median(rates))
        who.cpu.append(spent / _MEASURED * 100_000 / options.rows)
        await few(trial, who, options.per_second, 2)
        latencies = await few(trial, who, options.per_second, options.seconds)
        who.p50.append(statistics.median(latencies))
        who.p99.append(statistics.quantiles(latencies, n=100)[98])
        who.memory.append(megabytes(child, peak=True))
        if who.name == RELAY:
            await eventually(trial.outbox_is_empty, within=5)
    figures = f"{who.rates[-1]:,.0f} rows/s, p50 {who.p50[-1]:.1f} ms, {who.memory[-1]:.0f} MB, {who.cpu[-1]:.1f} s CPU"
    print(f"{who.name}: {figures}", file=sys.stderr)
    await trial.admin.execute("TRUNCATE peer.outbox")


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@asynccontextmanager
async def prepared(contenders: Sequence[Contender]) -> AsyncGenerator[Trial]:
    async with Engines(logical=True) as engines:
        await create_topics(engines.bootstrap, [who.topic for who in contenders], partitions=PARTITIONS)
        admin = await asyncpg.connect(engines.admin_dsn)
        await ensure_tenant(admin, "relay", "relay")
        # One commit makes all rows visible; nobody should have to decode it from a file.
        await admin.execute("ALTER SYSTEM SET logical_decoding_work_mem = '512MB'")
        await admin.execute("SELECT pg_reload_conf()")
        await admin.execute(_PEER_TABLE)
        ours = dsn_of_tenant(engines.services_dsn, "relay", "relay")  # as our services reach it
        writer = await asyncpg.connect(ours)
        await migrate(writer, Path(__file__).with_name("no_migrations"))
        trial = Trial(engines, ours, admin, writer)
        await trial.consumer.start()
        try:
            yield trial
        finally:
            await trial.consumer.stop()
            await writer.close()
            await admin.close()


async def measure(options: argparse.Namespace) -> bool:
    relay, tuned, default = contenders = [
        Contender(RELAY, "relay.events"),
        Contender(TUNED_PEER, "tuned.events", TUNED),
        Contender(DEFAULT_PEER, "default.events"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        async with prepared(contenders) as trial:
            for number in range(options.rounds):
                for who in contenders if options.only is None else [contenders[options.only]]:
                    await one_round(trial, who, Path(folder), options, check=number == 0)
    if options.only is not None:
        return True
    mid = statistics.median
    ratios = {
        "rows_per_s": paired(relay.rates, list(map(max, tuned.rates, default.rates))),
        "p50_default": paired(relay.p50, default.p50),
        "p50_tuned": paired(relay.p50, tuned.p50),
        "memory": paired(relay.memory, tuned.memory),
    }
    figures: list[Figure] = []
    for who in contenders:
        figures += [
            Figure(f"{who.name}: rows", mid(who.rates), "/s"),
            Figure(f"{who.name}: commit to consumer, p50", mid(who.p50), "ms"),
            Figure(f"{who.name}: commit to consumer, p99", mid(who.p99), "ms"),
            Figure(f"{who.name}: peak memory", mid(who.memory), "MB"),
            Figure(f"{who.name}: CPU for 100,000 rows", mid(who.cpu), "s"),
        ]
    figures += [
        Figure("rows a second, of the better peer", ratios["rows_per_s"], "x", "≥ 3", ratios["rows_per_s"] >= 3),
        *(
            Figure(text, ratios[key], "x", f"≤ {BARS[key]:g}", ratios[key] <= BARS[key], key=f"ratio_{key}")
            for key, text in (
                ("p50_default", "p50, of the default peer's"),
                ("p50_tuned", "p50, of the tuned peer's"),
                ("memory", "memory, of the tuned peer's"),
            )
        ),
    ]
    title = (
        f"{options.rows:,} rows of {BODY_BYTES} bytes, {PATIENTS:,} keys; "
        f"then {options.per_second}/s for {options.seconds:g} s; medians of {options.rounds} rounds"
    )
    return report("relay", figures, ratios, title)


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks relay")
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--per-second", type=int, default=200)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--only", type=int, choices=(0, 1, 2), help="the relay, the tuned peer, or the default one")
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
