"""Does a day of 10,000 verifications end well when everything goes wrong that can?

The sandbox's payers give each of fifteen misbehaviours to 5 % of the patients: outages, slowness, silence, cut
connections, garbage, wrong numbers, refusals, contradictions, answers for somebody else. The clinic's day is short
enough to wait for every repeat. In the end each verification has to be concluded as its patient's case demands, or be
with the right person, and nothing may have been decided twice. What each case demands is in the table below.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from benchmarks.report import Figure, report
from benchmarks.verification import payers_without_limit, people
from deploy.local.house import House
from deploy.local.topology import SANDBOX

SPEED = 120.0
"""Clinic seconds in a second: a minute's pause before a repeat is half a second."""
PAYERS = ("Aetna", "Cigna", "UnitedHealthcare", "Medical Mutual of Ohio")
_GIVE_UP_SECONDS = 1_800.0
_PAGE = 20_000

ACTIVE = ("concluded", "active", None)
EXPECTED: dict[str, tuple[str, str, str | None]] = {
    "covered": ACTIVE,
    "inactive": ("concluded", "inactive", "inactive"),
    "not_found": ("with_person", "undetermined", "aaa_75"),
    "birth_date_differs": ("with_person", "undetermined", "aaa_71"),
    "recovers": ACTIVE,
    "slow_once": ACTIVE,
    "silent_once": ACTIVE,
    "unavailable_once": ACTIVE,
    "throttled": ACTIVE,
    "cut_off_once": ACTIVE,
    "garbage_once": ("with_person", "undetermined", "no_envelope"),
    "other_patient": ("with_person", "undetermined", "answer_for_another"),
    "wrong_control_number": ACTIVE,
    "twice": ACTIVE,
    "refused_999": ("with_person", "undetermined", "question_refused"),
    "conflicting_deductibles": ACTIVE,
}
"""Scenario → state, outcome and cause."""

_SETTLED = "SELECT count(*) FROM verification WHERE state IN ('concluded', 'with_person')"
_ENDED = """
SELECT member_id, state, outcome, cause_code, plan IS NOT NULL OR benefits <> '[]' AS attached
FROM verification JOIN coverage USING (coverage_id)
"""
_TWICE = """
SELECT (SELECT count(*) FROM (SELECT FROM verification GROUP BY coverage_id HAVING count(*) > 1) AS verified)
     + (SELECT count(*) FROM (SELECT FROM question WHERE result IN ('active', 'inactive')
                              GROUP BY verification_id HAVING count(*) > 1) AS answered)
"""


async def settled(database: asyncpg.Connection, count: int) -> None:
    async with asyncio.timeout(_GIVE_UP_SECONDS):
        while (done := await database.fetchval(_SETTLED) or 0) < count:
            print(f"{done:,} of {count:,}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
            await asyncio.sleep(1 if sys.stderr.isatty() else 15)


async def scenarios(outside: httpx.AsyncClient) -> dict[str, str]:
    """Each member's case, as the gateway that played it remembers."""
    found: dict[str, str] = {}
    before: int | None = None
    while True:
        query: dict[str, Any] = {"limit": _PAGE} | ({"before": before} if before else {})
        page = (await outside.get("/control/payer/questions", params=query)).raise_for_status().json()["questions"]
        found |= {asking["member_id"]: asking["scenario"] for asking in page if asking["scenario"]}
        if len(page) < _PAGE:
            return found
        before = page[-1]["number"]


async def measure(options: argparse.Namespace) -> bool:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        knobs = {
            "STILLWATER_BILLING_PAYERS_FILE": str(payers_without_limit(Path(folder))),
            "STILLWATER_BILLING_ASK_TIMEOUT_SECONDS": "4",
            "STILLWATER_BILLING_POOL_SIZE": "24",
        }
        clock = (SPEED, datetime.now(UTC))
        async with House(parts=("billing", SANDBOX), clock=clock, extra={"billing": knobs}) as house:
            database = await asyncpg.connect(house.site.database_url("billing"))
            async with httpx.AsyncClient(base_url=house.url(SANDBOX), trust_env=False, timeout=60) as outside:
                mode = {"mode": "mix", "seed": options.seed, "share": 0.05}
                (await outside.put("/control/payer/mode", json=mode)).raise_for_status()
                await people(house, 0, options.patients, PAYERS)
                await settled(database, options.patients)
                played = await scenarios(outside)
            ended = await database.fetch(_ENDED)
            twice = await database.fetchval(_TWICE) or 0
            await database.close()
    wrong: Counter[str] = Counter()
    for row in ended:
        scenario = played.get(row["member_id"], "nobody asked")
        if EXPECTED.get(scenario) != (row["state"], row["outcome"], row["cause_code"]):
            wrong[f"{scenario}: {row['state']}, {row['outcome']}, {row['cause_code']}"] += 1
    for what, count in wrong.most_common(20):
        print(f"{count:6,}  {what}", file=sys.stderr)
    attached = sum(row["attached"] for row in ended if played.get(row["member_id"]) == "other_patient")
    cases = Counter(played.values())
    return report(
        "day",
        [
            Figure("verifications", len(ended), bar=f"{options.patients:,}", holds=len(ended) == options.patients),
            Figure("misbehaviours met", len(cases) - 1, bar="15", holds=set(cases) == set(EXPECTED)),
            Figure("patients of the rarest", min(cases.values(), default=0)),
            Figure("not ended as their case demands", wrong.total(), bar="0", holds=not wrong),
            Figure("decided twice", twice, bar="0", holds=twice == 0),
            Figure("with an answer for somebody else attached", attached, bar="0", holds=attached == 0),
            Figure("took", time.monotonic() - began, "s"),
        ],
        title=f"{options.patients:,} patients of {len(PAYERS)} payers, fifteen misbehaviours of 5 % each",
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks day")
    options.add_argument("--patients", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
