"""The live page: who is in danger, what needs a person, and everybody who asked for help."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import asyncpg

from chassis.http.places import write_place
from chassis.pages import Rendered, gap
from console.following.coverage import CoverageState
from console.following.model import Stage
from console.following.tasks import TaskOwner
from console.showing import reading
from console.showing.person import Desk
from console.showing.reading import PatientPlace, TaskPlace
from console.showing.rendering import Templates

PEOPLE_ON_A_PAGE = 50
TASKS_AT_FIRST = 10
TASKS_ON_A_PAGE = 50
IN_DANGER_ON_A_PAGE = 50
BEHIND_SECONDS = 10.0
"""The page says so when what it shows is older than this."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of everything is shown, as it stands in the URL."""

    stage: Stage | None = None
    coverage: CoverageState | None = None
    owner: TaskOwner | None = None
    all_tasks: bool = False
    waiting: bool = False
    """Tasks that still wait for others, in place of those that need a person."""
    after: PatientPlace | None = None
    tasks_after: TaskPlace | None = None
    danger_after: TaskPlace | None = None

    def url(self, **changes: object) -> str:
        """The address of the page with something changed; a place in a list is lost with what the list is of."""
        lost: dict[str, object] = {}
        if changes.keys() & {"stage", "coverage"}:
            lost["after"] = None
        if changes.keys() & {"owner", "waiting"}:
            lost["tasks_after"] = None
        return f"/?{query}" if (query := replace(self, **(lost | changes)).query()) else "/"

    def query(self) -> str:
        places = {
            "after": write_place(*self.after) if self.after else None,
            "tasks_after": write_place(*self.tasks_after) if self.tasks_after else None,
            "danger_after": write_place(*self.danger_after) if self.danger_after else None,
        }
        choices = {"stage": self.stage, "coverage": self.coverage, "owner": self.owner}
        switches = {"tasks": "all" if self.all_tasks else None, "waiting": "yes" if self.waiting else None}
        return urlencode({name: value for name, value in (choices | switches | places).items() if value})


@dataclass(frozen=True, slots=True)
class Board:
    """One filter's page."""

    filter: Filter
    desk: Desk
    templates: Templates
    what = "board"

    @property
    def key(self) -> Hashable:
        return ("board", self.filter)

    async def render(self, connection: asyncpg.Connection) -> Rendered:
        now, shows = self.desk.clock.now(), self.filter
        saying = self.templates.saying(now)
        counts = await reading.count(connection, now, saying.midnight())
        endangered = await reading.open_tasks(
            connection, now, in_danger=True, after=shows.danger_after, limit=IN_DANGER_ON_A_PAGE + 1
        )
        most = TASKS_ON_A_PAGE if shows.all_tasks or shows.tasks_after or shows.waiting else TASKS_AT_FIRST
        tasks = await reading.open_tasks(
            connection,
            now,
            in_danger=False,
            waiting=shows.waiting,
            owner=shows.owner,
            after=shows.tasks_after,
            limit=most + 1,
        )
        people = await reading.people(
            connection, stage=shows.stage, coverage=shows.coverage, after=shows.after, limit=PEOPLE_ON_A_PAGE + 1
        )
        context = {
            "saying": saying,
            "filter": shows,
            "counts": counts,
            "behind": self._behind(),
            "danger": self.desk.views.tasks(endangered[:IN_DANGER_ON_A_PAGE], now),
            "people_in_danger": {
                one.person.id: self.desk.views.patient(one.person, now) for one in endangered[:IN_DANGER_ON_A_PAGE]
            },
            "contacts": {one.person.id: one.person.known for one in endangered[:IN_DANGER_ON_A_PAGE]},
            "more_danger": endangered[IN_DANGER_ON_A_PAGE - 1].place if len(endangered) > IN_DANGER_ON_A_PAGE else None,
            "tasks": self.desk.views.tasks(tasks[:most], now),
            "more_tasks": tasks[most - 1].place if len(tasks) > most else None,
            "people": [self.desk.views.patient(one, now) for one in people[:PEOPLE_ON_A_PAGE]],
            "more_people": _place(people[PEOPLE_ON_A_PAGE - 1]) if len(people) > PEOPLE_ON_A_PAGE else None,
        }
        fragments = {part: self.templates.render(f"board/{part}.html", context) for part in _PARTS}
        seen = [one.person.id for one in (*endangered[:IN_DANGER_ON_A_PAGE], *tasks[:most])]
        return Rendered(fragments, frozenset([*seen, *(one.id for one in people[:PEOPLE_ON_A_PAGE])]))

    def _behind(self) -> str | None:
        """How old what is shown is, where the streams are read too slowly for it to be called live."""
        behind = self.desk.delay.behind()
        return gap(behind) if behind > BEHIND_SECONDS else None


_PARTS = ("counts", "danger", "tasks", "people")


def _place(one: reading.Person) -> PatientPlace:
    return (one.known.arrived_at, one.id)
