"""Does an outside world that hangs slow anything else?

Each event has a payer asked. Events applied a second while the payer answers at once, and while it never does.
"""

import argparse
import asyncio
import statistics
import sys

from benchmarks.applying import LANES, Ground, a_prefix, from_a_tenth, ground, publish
from benchmarks.report import Figure, paired, report

BAR = 0.95
WAYS = ("answers", "hangs")


async def rate(at: Ground, events: int, payer: str) -> float:
    await at.clear()
    prefix = a_prefix()
    await publish(at, prefix + "intake.events", events, 0)
    async with at.applier(prefix, outside=payer):
        return await from_a_tenth(at, events)


async def measure(options: argparse.Namespace) -> bool:
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    async with ground() as at:
        for _ in range(options.rounds):
            for way in WAYS:
                rates[way].append(await rate(at, options.events, way))
                print(f"payer {way}: {rates[way][-1]:,.0f} events/s", file=sys.stderr)
    answering, hanging = (rates[way] for way in WAYS)
    ratio = paired(hanging, answering)
    return report(
        "hanging",
        [
            Figure("events applied, the payer answers", statistics.median(answering), "/s"),
            Figure("events applied, the payer hangs", statistics.median(hanging), "/s"),
            Figure("of the answering one's", ratio, "x", f"≥ {BAR}", ratio >= BAR),
        ],
        {"hanging": ratio},
        f"{options.events:,} events, a question to the payer for each, {LANES} lanes; {options.rounds} rounds",
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks hanging")
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=3)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
