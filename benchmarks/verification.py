"""How many insurance verifications does one process of billing bring to their end, and does its memory stay flat?

Patients, their coverages and their visits wait in the topics; a payer answers at once, in the real envelope, through
the sandbox's gateway in a process of its own. A verification counts when it is concluded: the payer asked, the answer
judged and kept. They are driven from when the events of all are applied to the last conclusion; the rate with their
events, three for each, is given as well. Memory is what billing holds after a tenth of them and at the end.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import psutil
import yaml

from benchmarks.applying import PARTITIONS, megabytes, send
from benchmarks.report import Figure, report
from chassis.outbox import shard_of
from chassis.record_batch import encoded
from contracts.envelope import Envelope
from contracts.event import Event
from contracts.ids import AppointmentId, CoverageId, new_event_id
from contracts.intake import CoverageReported, PatientRegistered
from contracts.scheduling import AppointmentBooked, AppointmentKind
from deploy.local.house import House
from deploy.local.places import PROJECT
from deploy.local.topology import SANDBOX

RATE_BAR, MEMORY_BAR_MB = 200.0, 30.0
_PAYERS = PROJECT / "services/billing/billing/payers/payers.yaml"
_WITHOUT_LIMIT = {"at_once": 32, "per_second": 5_000}
_SEEN = "SELECT count(*) AS opened, count(*) FILTER (WHERE state = 'concluded') AS concluded FROM verification"
_OTHERWISE = "SELECT count(*) FROM verification WHERE state <> 'concluded' OR outcome <> 'active'"


def payers_without_limit(folder: Path) -> Path:
    """The clinic's payers, asked as fast as we can."""
    own = yaml.safe_load(_PAYERS.read_text())
    own["payers"] = [payer | _WITHOUT_LIMIT for payer in own["payers"]]
    path = folder / "payers.yaml"
    path.write_text(yaml.safe_dump(own))
    return path


async def say(bootstrap: str, topic: str, said: Sequence[tuple[str, Event]]) -> None:
    """Put events into a topic, each of a subject."""
    records: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    for subject, event in said:
        id = new_event_id()
        envelope = Envelope(id, event.type, f"stillwater/{event.type.split('.')[0]}", datetime.now(UTC), subject, 1, id)
        body = event.model_dump_json(exclude_none=True).encode()
        records[shard_of(envelope.key)].append(encoded(envelope.key, envelope.to_headers(), body))
    await send(bootstrap, topic, records)


def _visit(number: int, at: datetime) -> AppointmentBooked:
    return AppointmentBooked(
        appointment_id=AppointmentId(f"appointment_{number}"),
        version=1,
        kind=AppointmentKind.ASSESSMENT,
        starts_at=at,
        ends_at=at + timedelta(hours=1),
        time_zone="America/New_York",
        clinician="Dr. Naomi Feld",
        room="Consulting room 1",
        place="88 Canal Street, Suite 200, Akron, OH 44308",
    )


async def people(house: House, first: int, count: int, payers: Sequence[str] = ("Aetna",)) -> None:
    """Have so many patients registered, visits booked for them, and their coverages reported, payers in turn."""
    ids = [(f"patient_{number}", number) for number in range(first, first + count)]
    at = house.clinic_time() + timedelta(days=1)
    bootstrap, topics = house.engines.bootstrap, dict(zip(("intake", "scheduling"), house.topics, strict=False))
    await say(bootstrap, topics["scheduling"], [(id, _visit(number, at)) for id, number in ids])
    registered = PatientRegistered(name="Ada Okafor", email="ada@example.org", birth_date=datetime(1984, 3, 12).date())
    await say(
        bootstrap,
        topics["intake"],
        [
            (id, event)
            for id, number in ids
            for event in (
                registered,
                CoverageReported(
                    coverage_id=CoverageId(f"coverage_{number}"),
                    payer=payers[number % len(payers)],
                    member_id=f"W{number:09d}",
                    source="typed",
                ),
            )
        ],
    )


async def until_concluded(database: asyncpg.Connection, before: int, count: int) -> tuple[float, float]:
    """Verifications a second: once all are opened, and with their events."""
    began = time.monotonic()
    opened: tuple[float, int] | None = None
    while True:
        seen, now = await database.fetchrow(_SEEN), time.monotonic()
        assert seen is not None
        if opened is None and seen["opened"] >= before + count:
            opened = now, seen["concluded"]
        if seen["concluded"] >= before + count:
            at, done = opened or (began, before)
            return (before + count - done) / max(now - at, 0.25), count / (now - began)
        await asyncio.sleep(0.25)


async def measure(options: argparse.Namespace) -> bool:
    driven: list[float] = []
    whole: list[float] = []
    held: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        knobs = {
            "STILLWATER_BILLING_PAYERS_FILE": str(payers_without_limit(Path(folder))),
            "STILLWATER_BILLING_POOL_SIZE": "24",
        }
        async with House(parts=("billing", SANDBOX), extra={"billing": knobs}) as house:
            async with httpx.AsyncClient(base_url=house.url(SANDBOX), trust_env=False) as outside:
                (await outside.put("/control/payer/mode", json={"mode": "instant"})).raise_for_status()
            database = await asyncpg.connect(house.site.database_url("billing"))
            billing = house.children()["billing"]
            process = psutil.Process(billing.pid)
            share = options.verifications // options.parts
            for part in range(options.parts):
                await people(house, part * share, share)
                rates = await until_concluded(database, part * share, share)
                driven.append(rates[0])
                whole.append(rates[1])
                held.append(megabytes(billing))
                done = f"{(part + 1) * share:,}: {driven[-1]:,.0f}/s, with their events {whole[-1]:,.0f}/s"
                print(f"{done}, {held[-1]:.0f} MB", file=sys.stderr)
            spent = sum(process.cpu_times()[:2]) / (share * options.parts)
            otherwise = await database.fetchval(_OTHERWISE) or 0
            asked = await database.fetchval("SELECT count(*) FROM question") or 0
            await database.close()
    rate, more = statistics.median(driven), held[-1] - held[0]
    total = share * options.parts
    return report(
        "verification",
        [
            Figure("verifications driven", rate, "/s", f"≥ {RATE_BAR:g}", rate >= RATE_BAR),
            Figure("the slowest part", min(driven), "/s"),
            Figure("with their events", statistics.median(whole), "/s"),
            Figure("CPU of billing for each", 1000 * spent, "ms"),
            Figure("held after the first tenth", held[0], "MB"),
            Figure("held at the end, above that", more, "MB", f"≤ {MEMORY_BAR_MB:g}", more <= MEMORY_BAR_MB),
            Figure("not concluded as active", otherwise, bar="0", holds=otherwise == 0),
            Figure("questions asked", asked, bar=f"{total:,}", holds=asked == total),
        ],
        {"rate": rate / RATE_BAR},
        f"{total:,} verifications by one process, an instant payer; medians of {options.parts} parts",
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks verification")
    options.add_argument("--verifications", type=int, default=100_000)
    options.add_argument("--parts", type=int, default=10)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
