"""How many people a second does the whole clinic take in, and how soon does it know what their insurance says?

Forms without cards are posted to intake; scheduling books each a visit, billing asks a payer that answers at once,
notify writes to them, the console shows them: every service and the sandbox in a process of its own on one machine.
First as many as it takes, then a tenth of that, with the time from each form to its verified coverage, and where that
time goes.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
from aiokafka import AIOKafkaConsumer

from benchmarks.report import Figure, report
from deploy.local.house import House
from deploy.local.large_clinic import large_clinic
from deploy.local.topology import SANDBOX, SERVICES
from sandbox.patients.people import People

_AT_ONCE = 24
_PATIENCE_SECONDS = 180.0
_STEPS = (
    "intake.submitted.v1",
    "scheduling.appointment_booked.v1",
    "billing.verification_requested.v1",
    "billing.coverage_verified.v1",
)
_WHERE = ("form to intake's event", "intake to visit", "visit to payer asked", "payer asked to verified")
_CLINICIANS = 400
_AT_REST_CPU_SECONDS = 0.25
"""Of all parts together in a second, at the most, when they have nothing to do."""


@dataclass
class Seen:
    """When each step of each patient's journey was on the broker, in seconds since the epoch."""

    steps: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))

    def verified(self, patients: Sequence[str]) -> bool:
        return all(_STEPS[-1] in self.steps[patient] for patient in patients)


def forms(count: int, seed: int) -> list[dict[str, object]]:
    people = People(seed)
    return [people.with_scenario("covered_typed").form_json() for _ in range(count)]


class Trial:
    """A house that stands, and what is heard of it."""

    def __init__(self, house: House, client: httpx.AsyncClient, seen: Seen) -> None:
        self._house, self._client, self._seen = house, client, seen

    async def post(self, form: dict[str, object]) -> tuple[str, float]:
        """Returns the patient and when the form was sent."""
        at = time.time()
        answer = await self._client.post(
            f"{self._house.url('intake')}/intakes",
            json=form,
            headers={"Idempotency-Key": str(uuid4()), "Accept": "application/json"},
        )
        answer.raise_for_status()
        return answer.json()["patient_id"], at

    async def settled(self, patients: Sequence[str]) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not self._seen.verified(patients):  # noqa: ASYNC110 - the broker tells another task
                await asyncio.sleep(0.02)

    async def as_many(self, count: int, seed: int) -> float:
        """Intakes a second, from the first form to the last verified coverage."""
        waiting = iter(forms(count, seed))
        posted: list[str] = []

        async def someone() -> None:
            for form in waiting:
                patient, _ = await self.post(form)
                posted.append(patient)

        began = time.monotonic()
        await asyncio.gather(*(someone() for _ in range(_AT_ONCE)))
        await self.settled(posted)
        return count / (time.monotonic() - began)

    async def steadily(self, per_second: float, seconds: float, seed: int) -> dict[str, float]:
        """When each form was sent, by patient; returns once all are verified."""
        began = time.monotonic()
        posting: list[asyncio.Task[tuple[str, float]]] = []
        for number, form in enumerate(forms(max(20, int(per_second * seconds)), seed)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            posting.append(asyncio.create_task(self.post(form)))
        sent = dict(await asyncio.gather(*posting))
        await self.settled(list(sent))
        return sent


async def listen(house: House, seen: Seen, ready: asyncio.Event) -> None:
    async with AIOKafkaConsumer(
        *house.topics, bootstrap_servers=house.engines.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        ready.set()
        async for record in consumer:
            type = dict(record.headers).get("ce_type", b"").decode()
            if type in _STEPS and record.key:
                seen.steps[record.key.decode()].setdefault(type, time.time())


def cpu_seconds(house: House) -> dict[str, float]:
    children = house.children()
    return {part: sum(psutil.Process(children[part].pid).cpu_times()[:2]) for part in (*SERVICES, SANDBOX)}


async def rested(house: House) -> None:
    """Wait until the letters of those who came at once are written too: whoever comes next stands behind nobody."""
    before = sum(cpu_seconds(house).values())
    while True:
        await asyncio.sleep(1)
        after = sum(cpu_seconds(house).values())
        if after - before < _AT_REST_CPU_SECONDS:
            return
        before = after


async def measure(options: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        extra = {"scheduling": {"STILLWATER_SCHEDULING_CLINIC_FILE": str(large_clinic(Path(folder), _CLINICIANS))}}
        async with House(extra=extra) as house, httpx.AsyncClient(trust_env=False, timeout=60) as client:
            (await client.put(f"{house.url(SANDBOX)}/control/payer/mode", json={"mode": "instant"})).raise_for_status()
            seen, ready = Seen(), asyncio.Event()
            listening = asyncio.create_task(listen(house, seen, ready))
            await ready.wait()
            trial = Trial(house, client, seen)
            await trial.as_many(50, seed=1)  # warms up
            before = cpu_seconds(house)
            rate = await trial.as_many(options.people, seed=2)
            spent = {part: (after - before[part]) / options.people for part, after in cpu_seconds(house).items()}
            print(f"{rate:.1f} intakes/s", file=sys.stderr)
            await rested(house)
            sent = await trial.steadily(rate / 10, options.seconds, seed=3)
            listening.cancel()
    latencies = [1000 * (seen.steps[patient][_STEPS[-1]] - at) for patient, at in sent.items()]
    gaps: list[list[float]] = [[] for _ in _WHERE]
    for patient, at in sent.items():
        moments = [at, *(seen.steps[patient].get(step, at) for step in _STEPS)]
        for position, gap in enumerate(gaps):
            gap.append(1000 * (moments[position + 1] - moments[position]))
    unplaced = sum(1 for patient in sent if _STEPS[1] not in seen.steps[patient])
    apart = list(zip(_WHERE, gaps, strict=True))
    figures = [
        Figure("intakes taken, booked and verified", rate, "/s"),
        Figure("form to verified, p50", statistics.median(latencies), "ms"),
        Figure("form to verified, p99", statistics.quantiles(latencies, n=100)[98], "ms"),
        Figure("of these, no visit could be booked for", unplaced),
        *(Figure(f"of that: {where}, p50", statistics.median(gap), "ms") for where, gap in apart),
        *(Figure(f"of that: {where}, the longest", max(gap), "ms") for where, gap in apart),
        *(Figure(f"CPU of {part} for each", 1000 * seconds, "ms") for part, seconds in spent.items()),
    ]
    title = f"{options.people} people at once, then {rate / 10:.1f}/s for {options.seconds:g} s; an instant payer"
    return report("journey", figures, title=title)


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks journey")
    options.add_argument("--people", type=int, default=1_000)
    options.add_argument("--seconds", type=float, default=60)
    sys.exit(0 if asyncio.run(measure(options.parse_args())) else 1)


if __name__ == "__main__":
    main()
