"""`python -m tests.fuzz`: many requests to a clinic of its own, with one line of JSON at the end."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from deploy.local.house import House
from deploy.local.topology import SERVICES
from tests.fuzz.requests import Answers, fuzz


async def run(requests: int, seed: int) -> Answers:
    """Spread over the services, in rounds, until there were so many."""
    answers = Answers()
    async with House() as house:
        key = house.vault.secret("tokens")
        while answers.requests < requests:
            for service in SERVICES:
                left = (requests - answers.requests) // len(SERVICES) + 1
                await asyncio.to_thread(fuzz, house.url(service), key, max(50, min(left, 1_000)), seed, answers)
                print(f"{answers.requests:,} requests, {answers.faults.total()} faults", file=sys.stderr, flush=True)
            seed += 1
    return answers


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--requests", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    answers = asyncio.run(run(options.requests, options.seed))
    for where, count in answers.faults.most_common():
        print(f"{count:6,}  {where}", file=sys.stderr)
    holds = not answers.faults and answers.requests >= options.requests
    outcome = {
        "name": "fuzz",
        "seed": options.seed,
        "requests": answers.requests,
        "statuses": {str(status): count for status, count in sorted(answers.statuses.items())},
        "server_errors": answers.faults.total(),
        "holds": holds,
    }
    print(json.dumps(outcome))
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
