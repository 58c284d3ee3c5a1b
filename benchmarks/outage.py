"""Does one payer's outage slow another? Verifications of payers that answer, while one hangs and one refuses.

Patients of four payers wait in the topics, in turns; the payers answer at once. Then as many again, with one of the
four hanging and another refusing every question. What counts is how fast the other two's become known.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import httpx

from benchmarks.report import Figure, report
from benchmarks.verification import payers_without_limit, people
from deploy.local.house import House
from deploy.local.topology import SANDBOX

BAR = 0.9
ANSWERING = ("Aetna", "Cigna")
AWAY = {"uhc": "hanging", "medical_mutual": "refusing"}
PAYERS = (*ANSWERING, "UnitedHealthcare", "Medical Mutual of Ohio")
_KNOWN = "SELECT count(*) FROM verification WHERE state = 'concluded' AND payer = ANY($1)"


async def known(database: asyncpg.Connection, house: House, first: int, count: int) -> float:
    """Verifications a second of the payers that answer, from the patients' arrival to the last of them."""
    before, wanted = await database.fetchval(_KNOWN, ANSWERING) or 0, count * len(ANSWERING) // len(PAYERS)
    await people(house, first, count, PAYERS)
    began = time.monotonic()
    async with asyncio.timeout(600):
        while (await database.fetchval(_KNOWN, ANSWERING) or 0) < before + wanted:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)
    return wanted / (time.monotonic() - began)


async def measure(options: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        knobs = {"STILLWATER_BILLING_PAYERS_FILE": str(payers_without_limit(Path(folder)))}
        async with House(parts=("billing", SANDBOX), extra={"billing": knobs}) as house:
            database = await asyncpg.connect(house.site.database_url("billing"))
            async with httpx.AsyncClient(base_url=house.url(SANDBOX), trust_env=False) as outside:
                (await outside.put("/control/payer/mode", json={"mode": "instant"})).raise_for_status()
                await known(database, house, 0, options.patients // 4)  # warm
                healthy = await known(database, house, 1_000_000, options.patients)
                for payer, state in AWAY.items():
                    (await outside.put(f"/control/payers/{payer}", json={"state": state})).raise_for_status()
                beside = await known(database, house, 2_000_000, options.patients)
                others = await database.fetchval("SELECT count(*) FROM verification WHERE state <> 'concluded'")
            await database.close()
    ratio = beside / healthy
    return report(
        "outage",
        [
            Figure("all four answer: known of two payers", healthy, "/s"),
            Figure("one hangs, one refuses: known of the other two", beside, "/s"),
            Figure("of the rate without an outage", ratio, "x", f"≥ {BAR:g}", ratio >= BAR),
            Figure("of the payers that are away, not concluded", others or 0),
        ],
        {"outage": ratio},
        f"{options.patients:,} patients of four payers, twice",
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks outage")
    options.add_argument("--patients", type=int, default=4_000)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
