"""The list: what needs a person, what is asked again by itself, what became known, and how payers do."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar

import asyncpg

from billing.paging import Place
from billing.payers.watch import read_health
from billing.worklist import reading
from billing.worklist.filter import Filter, Shown
from billing.worklist.reading import Changed, Item
from billing.worklist.rendering import Desk
from chassis.pages import Rendered
from contracts.billing import Owner

Row = TypeVar("Row", Item, Changed)

AT_FIRST = 10
"""Of each list, where several stand on one page."""
ALONE = 50
"""Of a list that is looked at alone."""


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """A list, or the beginning of it. `more` is where it goes on."""

    items: Sequence[Row]
    more: Place | None = None


Parts = Mapping[Owner | None, Part[Item] | Part[Changed]]


@dataclass(frozen=True, slots=True)
class Overview:
    """One filter's page."""

    shows: Filter
    desk: Desk
    what = "worklist"

    @property
    def key(self) -> Hashable:
        return ("worklist", self.shows)

    async def render(self, connection: asyncpg.Connection) -> Rendered:
        saying, shows = self.desk.saying(), self.shows
        context: dict[str, Any] = {
            "saying": saying,
            "shows": shows,
            "directory": self.desk.directory,
            "health": await read_health(connection),
            "queues": await reading.queues(connection),
            "for_engines": await reading.for_engines(connection),
            "counts": await reading.count(connection, saying.midnight()),
        }
        fragments = {name: self.desk.render(f"list/{name}.html", context) for name in ("counts", "payers")}
        seen: set[str] = set()
        for shown in (shows.shown,) if shows.shown else Shown:
            parts = await self._parts(connection, shown)
            fragments[shown] = self.desk.render(f"list/{shown}.html", {**context, "parts": parts})
            seen.update(one.patient_id for part in parts.values() for one in part.items)
        return Rendered(fragments, frozenset(seen))

    async def _parts(
        self, connection: asyncpg.Connection, shown: Shown
    ) -> Mapping[Owner | None, Part[Item] | Part[Changed]]:
        """What needs a person by owner, in their order; the other lists as one."""
        shows, now = self.shows, self.desk.clock.now()
        match shown:
            case Shown.NEEDS_PERSON:
                most = ALONE if shows.shown and shows.owner else AT_FIRST
                after = self._after if shows.owner else None
                found = await reading.needing_person(connection, shows, now, after=after, limit=most + 1)
                return {
                    owner: _part(list(items), most, lambda one: one.place)
                    for owner, items in groupby(found, key=lambda one: one.owner)
                }
            case Shown.CHANGED:
                most = ALONE if shows.shown else AT_FIRST
                found = await reading.changed(connection, shows, now, after=self._after, limit=most + 1)
                return {None: _part(found, most, lambda one: Place(one.since, str(one.id)))}
            case Shown.WAITING:
                most = ALONE if shows.shown else AT_FIRST
                found = await reading.waiting(connection, shows, now, after=self._after, limit=most + 1)
                return {None: _part(found, most, lambda one: Place(one.asking_again_at or now, one.verification_id))}
            case Shown.CONCLUDED:
                most = ALONE if shows.shown else AT_FIRST
                found = await reading.concluded(connection, shows, now, after=self._after, limit=most + 1)
                return {None: _part(found, most, lambda one: Place(one.concluded_at or now, one.verification_id))}

    @property
    def _after(self) -> Place | None:
        return self.shows.after if self.shows.shown else None


def _part(found: Sequence[Row], most: int, place: Callable[[Row], Place]) -> Part[Row]:
    return Part(found[:most], place(found[most - 1]) if len(found) > most else None)
