"""Do the relay and the applying stay as fast when there is much history, and while a transaction is left open?

The same work with 10,000, 200,000 and 2,000,000 rows each of inbox, parked records and the service's own table; and
once more with 2,000,000 where one transaction has been left open for minutes with events going through both all the
while, so that nothing that was deleted or updated since could be cleaned away. Each has engines of its own, since a
broker with many topics behind it is slower by itself; and they take turns: what else the machine does meets them all.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from contextlib import AsyncExitStack

import asyncpg

from benchmarks.applying import PARTITIONS, Ground, a_prefix, from_a_tenth, ground, publish, relaying
from benchmarks.report import Figure, paired, report
from deploy.local.kafka import create_topics

SMALL, LARGE, OPEN = "10,000 rows", "2,000,000 rows", "transaction open"
SIZES = {SMALL: 10_000, "200,000 rows": 200_000, LARGE: 2_000_000, OPEN: 2_000_000}
FLAT, FLAT_WHILE_OPEN = 0.85, 0.7
_ROWS_A_SECOND_WHILE_OPEN = 500

Rounds = dict[str, list[float]]
"""The rates of each ground, one a round."""

_HISTORY = """
INSERT INTO inbox (consumer, event_id)
SELECT 'applier', gen_random_uuid() FROM generate_series($1::int, $2::int);
INSERT INTO parked (consumer, topic, partition, record_offset, key, record, reason, cause, tries, given_up_at)
SELECT 'applier', 'elsewhere', 0, n, 'somebody_' || n, '\\x00', 'failed', 'ValueError', 12, clock_timestamp()
FROM generate_series($1::int, $2::int) AS n;
INSERT INTO tally (patient, events) SELECT 'somebody_' || n, 0 FROM generate_series($1::int, $2::int) AS n;
""".strip().split(";\n")


async def grow(at: Ground, size: int) -> None:
    for statement in _HISTORY:
        await at.database.execute(statement.rstrip(";"), 1, size, timeout=900)
    # What is old has long been cleaned and written: nobody is measured beside the aftermath of a load in bulk.
    await at.database.execute("VACUUM ANALYZE inbox, parked, tally", timeout=900)
    admin = await asyncpg.connect(at.engines.admin_dsn)
    await admin.execute("CHECKPOINT", timeout=900)
    await admin.close()
    await asyncio.to_thread(os.sync)


async def apply_rate(at: Ground, events: int) -> float:
    """Events a second."""
    await at.database.execute("DELETE FROM tally WHERE patient LIKE 'patient\\_%'")
    prefix = a_prefix()
    await publish(at, prefix + "intake.events", events, 0)
    async with at.applier(prefix):
        return await from_a_tenth(at, events)


async def relay_rate(at: Ground, rows: int) -> float:
    """Rows a second."""
    topic = a_prefix() + "applier.events"
    await create_topics(at.engines.bootstrap, [topic], partitions=PARTITIONS)
    async with relaying(at.dsn, at.engines.bootstrap, topic, at.folder):
        await at.are_published(await at.fill_outbox(rows))  # warms the process up
        waiting = await at.fill_outbox(rows)
        began = time.monotonic()
        await at.are_published(waiting)
        return rows / (time.monotonic() - began)


async def left_open(at: Ground, minutes: float) -> asyncpg.Connection:
    """A transaction that has been open for minutes and has seen everything that was deleted since."""
    idler = await asyncpg.connect(at.dsn)
    await idler.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await idler.fetchval("SELECT txid_current()")
    topic = a_prefix() + "applier.events"
    await create_topics(at.engines.bootstrap, [topic], partitions=PARTITIONS)
    prefix = a_prefix()
    async with relaying(at.dsn, at.engines.bootstrap, topic, at.folder), at.applier(prefix):
        until = time.monotonic() + 60 * minutes
        while time.monotonic() < until:
            last = await at.fill_outbox(_ROWS_A_SECOND_WHILE_OPEN)
            await publish(at, prefix + "intake.events", _ROWS_A_SECOND_WHILE_OPEN, 0)
            await at.are_published(last)
            await asyncio.sleep(1)
    return idler


async def in_turns(grounds: dict[str, Ground], options: argparse.Namespace) -> tuple[Rounds, Rounds]:
    """Of each ground the rates of applying, and of relaying. The first round is their warming up and does not count."""
    applied: Rounds = {of: [] for of in grounds}
    relayed: Rounds = {of: [] for of in grounds}
    for number in range(options.rounds + 1):
        for of, at in grounds.items():
            applying, publishing = await apply_rate(at, options.events), await relay_rate(at, options.rows)
            print(f"{of}: {applying:,.0f} events/s applied, {publishing:,.0f} rows/s relayed", file=sys.stderr)
            if number:
                applied[of].append(applying)
                relayed[of].append(publishing)
    return applied, relayed


async def measure(options: argparse.Namespace) -> bool:
    async with AsyncExitStack() as stack:
        grounds: dict[str, Ground] = {}
        for of, size in SIZES.items():
            grounds[of] = await stack.enter_async_context(ground())
            print(f"{of}: {size:,} rows of history", file=sys.stderr)
            await grow(grounds[of], size)
        print(f"and a transaction is left open for {options.minutes:g} minutes", file=sys.stderr)
        idler = await left_open(grounds[OPEN], options.minutes)
        found = await in_turns(grounds, options)
        await idler.close()
    figures: list[Figure] = []
    ratios: dict[str, float] = {}
    for what, rates in zip(("applied", "relayed"), found, strict=True):
        figures += [Figure(f"{what}, {of}", statistics.median(rounds), "/s") for of, rounds in rates.items()]
        flat, opened = paired(rates[LARGE], rates[SMALL]), paired(rates[OPEN], rates[LARGE])
        ratios |= {what: flat, f"{what}_while_open": opened}
        figures += [
            Figure(f"{what}: largest of smallest", flat, "x", f"≥ {FLAT}", flat >= FLAT),
            Figure(f"{what}: while open", opened, "x", f"≥ {FLAT_WHILE_OPEN}", opened >= FLAT_WHILE_OPEN),
        ]
    title = (
        f"{options.events:,} events and {options.rows:,} rows each; transaction open for {options.minutes:g} minutes"
    )
    return report("growth", figures, ratios, title)


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks growth")
    options.add_argument("--events", type=int, default=30_000)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--minutes", type=float, default=10)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
