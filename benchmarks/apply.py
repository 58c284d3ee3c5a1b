"""How many events does one process apply, exactly once each, beside the same SQL in a bare loop?

The bound: the same statement from as many connections at once as there are lanes, a transaction each, without Kafka and
without an inbox. Ours: events wait in the topic; a service in a process of its own starts and applies them. Then with
every event of 1 % of the keys failing, so that they are parked and tried again meanwhile; there the events of the
other keys count. Each measured from a tenth of the events to the last, in turns, several rounds, every other one
backwards.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable

import asyncpg

from benchmarks.applying import LANES, PATIENTS, Ground, a_prefix, from_a_tenth, ground, publish
from benchmarks.processes.applier import COUNT
from benchmarks.report import Figure, paired, report

FAILING = 0.01
BOUND_BAR, FAILURES_BAR = 0.75, 0.9


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
    prefix = a_prefix()
    counting = await publish(at, prefix + "intake.events", events, failing)
    async with at.applier(prefix):
        return await from_a_tenth(at, counting)


async def measure(options: argparse.Namespace) -> bool:
    ways: dict[str, Callable[[Ground], Awaitable[float]]] = {
        "bare loop": lambda at: bare(at, options.events),
        "applied": lambda at: applied(at, options.events, 0),
        "applied, 1 % of the keys failing": lambda at: applied(at, options.events, FAILING),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}
    async with ground() as at:
        for number in range(options.rounds):
            for way in ways if number % 2 == 0 else reversed(ways):
                await at.clear()
                rates[way].append(await ways[way](at))
                print(f"{way}: {rates[way][-1]:,.0f} events/s", file=sys.stderr)
    bound, healthy, failing = rates.values()
    ratios = {"bound": paired(healthy, bound), "with_failures": paired(failing, healthy)}
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
    options.add_argument("--events", type=int, default=75_000)
    options.add_argument("--rounds", type=int, default=9)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
