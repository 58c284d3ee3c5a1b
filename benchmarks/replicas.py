"""What do more processes of one service bring: who does what, is order kept, and who takes over from one that dies?

1, 2 and 4 processes of a service apply what waits and say an event for each; then one of them is killed and the time
counted until each of its shards has another leader, and until what comes for its partitions is applied again.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.applying import PARTITIONS, Ground, a_prefix, from_a_tenth, ground, publish
from benchmarks.report import Figure, report
from contracts.envelope import Envelope
from deploy.local.kafka import create_topics
from deploy.local.process import Child

COUNTS = (1, 2, 4)
LEASE_SECONDS, SESSION_SECONDS = 6.0, 6.0
TAKEOVER_BAR_SECONDS = 2 * LEASE_SECONDS

_OUT_OF_ORDER = """
SELECT count(*) FROM (
    SELECT sequence <= lag(sequence) OVER (PARTITION BY patient ORDER BY number) AS earlier FROM applied
) AS each WHERE earlier
"""
_HOLDERS = "SELECT shard, holder::text FROM relay_lease WHERE expires_at > clock_timestamp()"


@dataclass
class Outcome:
    """Of one number of processes."""

    rate: float
    applied_by: list[int]
    """Events applied by each process."""
    shards: list[int]
    """Shards published by each process."""
    out_of_order: int
    twice: int
    takeover: float | None
    """Seconds until each shard of a killed process had another leader; None where nobody was left."""


async def outcome(at: Ground, count: int, events: int) -> Outcome:
    await at.clear()
    await at.database.execute("TRUNCATE stream_head, relay_member; UPDATE relay_lease SET expires_at = '-infinity'")
    prefix = a_prefix()
    await create_topics(at.engines.bootstrap, [prefix + "scheduling.events"], partitions=PARTITIONS)
    async with AsyncExitStack() as stack:
        children = [await stack.enter_async_context(at.applier(prefix, says=True)) for _ in range(count)]
        await shared_out(at, count)
        await publish(at, prefix + "intake.events", events, 0)
        rate = await from_a_tenth(at, events)
        await at.outbox_is_empty()
        by = Counter({row["by"]: row["events"] for row in await at.database.fetch(
            "SELECT by, count(*) AS events FROM applied GROUP BY by"
        )})  # fmt: skip
        shards = sorted(Counter((await holders(at)).values()).values())
        applied_badly = await at.database.fetchval(_OUT_OF_ORDER) or 0
        said_badly, twice = await as_said(at, prefix + "scheduling.events", events)
        takeover = await killed(at, children) if count > 1 else None
    return Outcome(rate, sorted(by.values()), shards, applied_badly + said_badly, twice, takeover)


async def holders(at: Ground) -> dict[int, str]:
    return {row["shard"]: row["holder"] for row in await at.database.fetch(_HOLDERS)}


async def shared_out(at: Ground, count: int) -> None:
    """Wait until every process has its share of the shards."""
    async with asyncio.timeout(60):
        share = [PARTITIONS // count] * count
        while sorted(Counter((await holders(at)).values()).values()) != share:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)


async def as_said(at: Ground, topic: str, events: int) -> tuple[int, int]:
    """First copies out of sequence for their key, and second copies, on the broker."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=at.engines.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(partitions)
        seen: set[str] = set()
        last: dict[str, int] = {}
        disorder = twice = 0
        async with asyncio.timeout(120):
            while len(seen) < events:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        envelope = Envelope.from_headers(record.headers)
                        if envelope.id in seen:
                            twice += 1
                            continue
                        seen.add(envelope.id)
                        disorder += envelope.sequence != last.get(envelope.subject, 0) + 1
                        last[envelope.subject] = envelope.sequence
    return disorder, twice


async def killed(at: Ground, children: list[Child]) -> float:
    """Seconds from a SIGKILL until all of its shards have another leader."""
    before = await holders(at)
    began = time.monotonic()
    await children[0].kill()
    async with asyncio.timeout(60):
        while True:
            now = await holders(at)
            changed = {shard for shard, holder in now.items() if before.get(shard) != holder}
            # Whose process it was the lease does not say: as many as its share have to change hands.
            if len(now) == PARTITIONS and len(changed) >= PARTITIONS // len(children):
                return time.monotonic() - began
            await asyncio.sleep(0.02)


async def measure(options: argparse.Namespace) -> bool:
    found: dict[int, Outcome] = {}
    async with ground() as at:
        for count in COUNTS:
            found[count] = one = await outcome(at, count, options.events)
            print(f"{count}: {one}", file=sys.stderr)
    takeover = max(one.takeover for one in found.values() if one.takeover is not None)
    disorder = sum(one.out_of_order for one in found.values())
    figures = [Figure(f"{count} processes: applied and said", one.rate, "/s") for count, one in found.items()]
    for count, one in found.items():
        figures += [
            Figure(f"{count} processes: least events of one", one.applied_by[0]),
            Figure(f"{count} processes: most events of one", one.applied_by[-1]),
            Figure(f"{count} processes: shards of each", one.shards[0]),
        ]
    figures += [
        Figure("out of order for a patient", disorder, bar="0", holds=disorder == 0),
        Figure("second copies on the broker", sum(one.twice for one in found.values())),
        Figure(
            "a killed one's shards have another leader after",
            takeover,
            "s",
            f"≤ {TAKEOVER_BAR_SECONDS:g}",
            takeover <= TAKEOVER_BAR_SECONDS,
        ),
    ]
    ratios = {f"rate_of_{count}": found[count].rate / found[1].rate for count in COUNTS[1:]}
    return report("replicas", figures, ratios, f"{options.events:,} events; leases of {LEASE_SECONDS:g} s")


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks replicas")
    options.add_argument("--events", type=int, default=30_000)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
