"""The page of one coverage: where it stands, the figures beside their evidence, and what comes next."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import asyncpg

from billing.paging import Place
from billing.payers.watch import read_health
from billing.worklist import reading
from billing.worklist.case import AskedOnce, Case, read_answer, read_case
from billing.worklist.evidence import evidence, figures, visits
from billing.worklist.filter import Filter
from billing.worklist.reading import Changed, Item
from billing.worklist.rendering import Desk
from chassis.http import Role
from chassis.pages import Rendered

_PER_COVERAGE = 20
"""Changes of this coverage that may stand before the first of another one."""
_PARTS = ("standing", "changed", "next", "benefits", "answer", "questions", "changes")


@dataclass(frozen=True, slots=True)
class CasePage:
    """One coverage as a role sees it, reached from a list at a place. `trace` picks one of the answers."""

    coverage_id: str
    role: Role
    shows: Filter
    at: Place | None
    trace: str | None
    desk: Desk
    what = "coverage"

    @property
    def key(self) -> Hashable:
        return ("case", self.coverage_id, self.role, self.shows, self.at, self.trace)

    async def render(self, connection: asyncpg.Connection) -> Rendered:
        """Without fragments where there is no such coverage."""
        case = await read_case(connection, self.coverage_id)
        return await self.around(connection, case) if case else Rendered({}, frozenset())

    async def around(self, connection: asyncpg.Connection, case: Case) -> Rendered:
        saying = self.desk.saying()
        counts = await reading.count(connection, saying.midnight())
        picked = self._picked(case) if self.role is Role.BILLING else None
        shown = picked is not None and not picked.too_large
        answer = await read_answer(connection, self.coverage_id, picked.trace) if picked and shown else None
        costs = visits(case.verification.services) if case.verification else []
        read = evidence(answer.raw, answer.asked, answer.payer, costs) if answer else None
        about_last = bool(answer and case.verification and answer.verification_id == case.verification.verification_id)
        context: dict[str, Any] = {
            "saying": saying,
            "page": self,
            "case": case,
            "verification": case.verification,
            "health": (await read_health(connection)).get(case.coverage.payer_id or ""),
            "counts": counts,
            "next": await self._next(connection, case),
            "picked": picked,
            "answer": answer,
            "read": read,
            "finding": read.finding if read and about_last else None,
            "visits": costs,
            "service_names": {one.service: one.name for one in case.verification.services} if case.verification else {},
            "figures": figures(case.verification.benefits, read.finding if read and about_last else None)
            if case.verification
            else [],
        }
        fragments = {part: self.desk.render(f"coverage/{part}.html", context) for part in _PARTS}
        return Rendered(fragments, frozenset([case.coverage.patient_id]))

    def _picked(self, case: Case) -> AskedOnce | None:
        """The question whose answer is shown: the one that was picked, or else the newest that has any."""
        return next((one for one in case.questions if one.answered and self.trace in (None, one.trace)), None)

    async def _next(self, connection: asyncpg.Connection, case: Case) -> Item | Changed | None:
        """The next that needs a person, in the order of the list; after the last, what changed, or the first again."""
        now = self.desk.clock.now()
        place = self.at or place_of(case)
        for after in (place, None) if place else (None,):
            found = await reading.needing_person(connection, self.shows, now, after=after, limit=2)
            if other := next((one for one in found if one.coverage_id != self.coverage_id), None):
                return other
        changed = await reading.changed(connection, self.shows, now, limit=_PER_COVERAGE)
        return next((one for one in changed if one.coverage_id != self.coverage_id), None)


def place_of(case: Case) -> Place | None:
    """Where a coverage stands in the list of what needs a person, if it is one of them."""
    one = case.verification
    return Place(one.requested_at, one.verification_id, one.owner) if one and one.to_do else None
