"""Does memory stay flat however much waits, in the topic and in the outbox?

A service and a relay start on nothing, are measured at rest, and then have a million records to get through: with a
handler as fast as it goes, with a database that takes 50 ms for each event, and out of the outbox.
"""

import argparse
import asyncio
import sys
import time

from benchmarks.applying import PARTITIONS, Ground, a_prefix, ground, megabytes, publish, relaying
from benchmarks.report import Figure, report
from deploy.local.kafka import create_topics

BAR_MB = 60.0
_SETTLE_SECONDS = 5.0


async def applying(at: Ground, prefix: str, seconds: float, idle: float, pause: float) -> float:
    """Megabytes above idle, at the most, while it applies what waits."""
    await at.clear()
    async with at.applier(prefix, pause_seconds=pause) as child:
        began = time.monotonic()
        while not await at.counted():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)
        rate = await at.counted() / (time.monotonic() - began)
        print(f"{rate:,.0f} events/s with {pause * 1000:.0f} ms more for each", file=sys.stderr)
        return megabytes(child, peak=True) - idle


async def at_rest(at: Ground) -> float:
    prefix = a_prefix()
    await create_topics(at.engines.bootstrap, [prefix + "intake.events"], partitions=PARTITIONS)
    async with at.applier(prefix) as child:
        await asyncio.sleep(_SETTLE_SECONDS)
        return megabytes(child)


async def published(at: Ground, rows: int) -> float:
    """Megabytes of a relay above idle, at the most, while it publishes what waits."""
    topic = a_prefix() + "applier.events"
    await create_topics(at.engines.bootstrap, [topic], partitions=PARTITIONS)
    async with relaying(at.dsn, at.engines.bootstrap, topic, at.folder) as child:
        await asyncio.sleep(_SETTLE_SECONDS)
        idle = megabytes(child)
        await at.are_published(await at.fill_outbox(rows))
        return megabytes(child, peak=True) - idle


async def measure(options: argparse.Namespace) -> bool:
    async with ground() as at:
        prefix = a_prefix()
        print(f"{options.records:,} records into the topic", file=sys.stderr)
        await publish(at, prefix + "intake.events", options.records, 0)
        idle = await at_rest(at)
        fast = await applying(at, prefix, options.seconds, idle, 0)
        slow = await applying(at, prefix, options.seconds, idle, 0.05)
        relay = await published(at, options.records)
    ways = {"applying": fast, "applying, slow database": slow, "relaying": relay}
    return report(
        "backlog",
        [
            Figure("at rest", idle, "MB"),
            *(Figure(f"{way}: above rest", more, "MB", f"≤ {BAR_MB:g}", more <= BAR_MB) for way, more in ways.items()),
        ],
        {"above_idle": max(ways.values()) / BAR_MB},
        f"{options.records:,} records waiting; {options.seconds:g} s of each way",
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks backlog")
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--seconds", type=float, default=40)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
