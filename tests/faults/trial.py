"""One run after another on one ground: load, faults, recovery, and what the checker says."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.topology import SANDBOX
from tests.faults import evidence
from tests.faults.checking import Finding, Kind, check, counts, done
from tests.faults.evidence import Evidence, Hearing, Outside
from tests.faults.ground import Ground
from tests.faults.inflict import Inflicting
from tests.faults.load import Load, Promise
from tests.faults.plan import Plan

SETTLE_SECONDS = 90.0
"""Within this everything must have come to rest after the last fault."""
_LOOK_SECONDS = 0.5
_CALM = frozenset({Kind.RESENT})


@dataclass(slots=True)
class Result:
    """What came of one run."""

    number: int
    name: str
    seed: str
    accepted: int
    kills: dict[str, int]
    missed: list[str]
    found: dict[str, int]
    recovery_ms: float | None
    """From the end of the last fault until everybody taken before had been served."""
    seconds: float
    findings: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


class Trial:
    """Runs on one ground. Evidence accumulates, and each run is judged on all of it."""

    def __init__(self, ground: Ground, heard: Hearing, folder: Path, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._ground = ground
        self._outside = Outside(ground.house.url(SANDBOX))
        self._hears: dict[str, frozenset[str]] = {}
        self._written = 0
        self.settle_seconds = settle_seconds
        self._heard = heard
        self._folder = folder
        self.promises: list[Promise] = []
        self.poison: set[tuple[str, int, int]] = set()
        self._known: set[Finding] = set()

    async def run(self, number: int, plan: Plan) -> Result:
        ground, began, before = self._ground, time.monotonic(), len(self.promises)
        self._hears = self._hears or await evidence.what_each_hears(ground)
        ground.timeline.clear()
        killed = Counter(ground.kills)
        ground.note("begin", plan=plan.name, seed=plan.seed)
        inflicting = Inflicting(ground, plan, lambda: [promise.patient_id for promise in self.promises[-20:]])
        load = Load(ground.house.url("intake"), plan.seed, self.promises.append)
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run(plan.load_seconds))
            await group.create_task(inflicting.run())
            recovered = group.create_task(self._recovery(inflicting.healed_at))
        self.poison |= inflicting.poison
        await inflicting.heal()
        findings = await self._settled()
        new = [finding for finding in findings if finding not in self._known]
        self._known |= set(findings)
        result = Result(
            number=number,
            name=plan.name,
            seed=plan.seed,
            accepted=len(self.promises) - before,
            kills=dict(Counter(ground.kills) - killed),
            missed=inflicting.missed,
            found=counts(new),
            recovery_ms=recovered.result(),
            seconds=round(time.monotonic() - began, 1),
            findings=[asdict(finding) for finding in new],
        )
        self._write(number, plan, result, before)
        return result

    async def _recovery(self, since: float) -> float | None:
        """Milliseconds from `since` until whoever had been taken by then was served; None if some never were."""
        waiting = {one.patient_id: one.insured for one in self.promises if one.accepted_at <= since}
        said: defaultdict[str, set[str]] = defaultdict(set)
        read, last = 0, since
        deadline = time.monotonic() + self.settle_seconds
        while waiting and time.monotonic() < deadline:
            for one in self._heard.heard[read:]:
                read += 1
                said[one.subject].add(one.type.split(".")[1])
                if one.subject in waiting and done(said[one.subject], insured=waiting[one.subject]):
                    del waiting[one.subject]
                    last = max(last, one.at)
            await asyncio.sleep(0.02)
        return None if waiting else round((last - since) * 1000, 1)

    async def _settled(self) -> list[Finding]:
        """What is found when nothing changes any more: soon if all is well, else when patience is over."""
        deadline = time.monotonic() + self.settle_seconds
        calm = 0
        while time.monotonic() < deadline:
            if not await evidence.busy(self._ground):
                findings = check(await self._evidence())
                # Twice in a row: what is doubled may come a moment later.
                calm = calm + 1 if {one.kind for one in findings} <= _CALM else 0
                if calm == 2:
                    return findings
            await asyncio.sleep(_LOOK_SECONDS)
        return [*check(await self._evidence()), *(Finding(Kind.LEFT, why) for why in await self._ground.not_ready())]

    async def _evidence(self) -> Evidence:
        return await evidence.gather(self._ground, self.promises, self._heard, self._outside, self.poison, self._hears)

    def _write(self, number: int, plan: Plan, result: Result, before: int) -> None:
        """The raw history of a run: the plan, what was done and when, what was promised, heard and found."""
        folder = self._folder / f"run-{number:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.json").write_text(json.dumps(asdict(plan), indent=1))
        (folder / "result.json").write_text(json.dumps(asdict(result), indent=1))
        _lines(folder / "timeline.jsonl", self._ground.timeline)
        _lines(folder / "promises.jsonl", map(asdict, self.promises[before:]))
        _lines(folder / "heard.jsonl", map(asdict, self._heard.heard[self._written :]))
        self._written = len(self._heard.heard)


def _lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
