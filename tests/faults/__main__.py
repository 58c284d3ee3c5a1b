"""`python -m tests.faults`: trials from a seed, resumable, with one line of JSON at the end."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chassis.points import POINTS
from deploy.local.places import home
from tests.faults import plan
from tests.faults.evidence import hearing
from tests.faults.ground import Ground
from tests.faults.plan import KINDS, Plan
from tests.faults.trial import Result, Trial

RUNS_ON_A_GROUND = 20
"""Then a new clinic, so that the outside world need not remember without end."""
_BAD = ("lost", "doubled", "reordered", "left")


def main() -> None:
    asked = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker is away is our own doing
    history = home() / "faults" / f"seed-{asked.seed}{f'-{asked.only}'.replace(':', '-') if asked.only else ''}"
    history.mkdir(parents=True, exist_ok=True)
    done = [] if asked.again else _read(history / "results.jsonl")
    if asked.again:
        (history / "results.jsonl").unlink(missing_ok=True)
    known = {result["seed"] for result in done}
    plans = [one for one in plans_of(asked.seed, asked.runs, asked.only) if one.seed not in known]
    new = asyncio.run(_run(history, len(done), plans))
    summary = sum_up(asked.seed, asked.runs, [*done, *new])
    print(json.dumps(summary))
    sys.exit(0 if summary["holds"] else 1)


def plans_of(seed: int, runs: int, only: str) -> list[Plan]:
    """Every point once, then so many runs; with `only`, nothing but that."""
    if only == "points":
        return plan.every_point(seed)
    numbered = [plan.run(seed, number, only) for number in range(runs)]
    return numbered if only else [*plan.every_point(seed), *numbered]


async def _run(history: Path, first: int, plans: list[Plan]) -> list[dict[str, Any]]:
    new: list[dict[str, Any]] = []
    for start in range(0, len(plans), RUNS_ON_A_GROUND):
        async with AsyncExitStack() as stack:
            ground = await stack.enter_async_context(Ground(logs_to=history / "logs").standing())
            heard = await stack.enter_async_context(hearing(ground))
            trial = Trial(ground, heard, history)
            for one in plans[start : start + RUNS_ON_A_GROUND]:
                result = await trial.run(first + len(new), one)
                new.append(asdict(result))
                with (history / "results.jsonl").open("a") as file:
                    file.write(json.dumps(new[-1]) + "\n")
                _say(result)
    return new


def sum_up(seed: int, runs: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole trial in one object."""
    found: Counter[str] = Counter()
    kills: Counter[str] = Counter()
    for result in results:
        found.update(result["found"])
        kills.update(result["kills"])
    recoveries = sorted(result["recovery_ms"] for result in results if result["recovery_ms"] is not None)
    missed = [point for result in results for point in result["missed"]]
    return {
        "name": "faults",
        "seed": seed,
        "runs": len(results),
        "kills": dict(sorted(kills.items())),
        "accepted": sum(result["accepted"] for result in results),
        "lost": found["lost"],
        "doubled": found["doubled"],
        "reordered": found["reordered"],
        "resent": found["resent"],
        "not_drained": found["left"],
        "missed": missed,
        "recovery_ms": {"p50": _share(recoveries, 0.5), "p99": _share(recoveries, 0.99)},
        "holds": bool(results)
        and not any(found[kind] for kind in _BAD)
        and all(result["recovery_ms"] is not None for result in results),
    }


def _share(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _say(result: Result) -> None:
    found = ", ".join(f"{count} {kind}" for kind, count in result.found.items() if count) or "nothing wrong"
    recovery = f"{result.recovery_ms:.0f} ms" if result.recovery_ms is not None else "never"
    kills = ", ".join(f"{count} × {what}" for what, count in result.kills.items())
    print(
        f"{result.number:4d} {result.name:<10} {result.seconds:5.1f} s  {result.accepted} taken, {found}, "
        f"recovered after {recovery}{f' ({kills})' if kills else ''}",
        file=sys.stderr,
    )
    for finding in result.findings[:10]:
        print(f"       {finding['kind']}: {finding['what']} {finding['whom']}", file=sys.stderr)
    for point in result.missed:
        print(f"       nobody came to {point}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    names: Iterator[str] = iter(("points", *KINDS, *(f"point:{point}" for point in POINTS)))
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs after the one through every point")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plans the same faults and the same people")
    parser.add_argument("--only", default="", choices=["", *names], metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--again", action="store_true", help="forget the runs of this seed that are done already")
    return parser.parse_args()


if __name__ == "__main__":
    main()
