"""One person's page: the facts, what needs somebody, and everything that was said about them, service by service."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import asyncpg

from chassis.clock import Clock
from chassis.http import Role
from chassis.http.places import write_place
from chassis.pages import Rendered
from chassis.seal import Seal
from console.following.store import open_body
from console.metrics import Delay
from console.showing import reading
from console.showing.reading import JournalPlace, Line
from console.showing.rendering import Templates
from console.showing.timeline import picture
from console.showing.views import EventShown, PatientDetail, Views, content_of, event_shown, may_read_private
from contracts.notify import ReplyMeaning, ReplyReceived

EVENTS_ON_A_PAGE = 60


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page of a person is made with."""

    clock: Clock
    views: Views
    seal: Seal
    delay: Delay

    async def detail(
        self,
        connection: asyncpg.Connection,
        patient_id: str,
        *,
        before: JournalPlace | None = None,
        limit: int = EVENTS_ON_A_PAGE,
        private: Role | None = None,
    ) -> PatientDetail | None:
        """One person, or None where nobody has spoken of them. Private fields of events only for a role."""
        person = await reading.person(connection, patient_id)
        if person is None:
            return None
        lines = await reading.journal(connection, patient_id, before=before, limit=limit + 1)
        tasks = await reading.tasks_of(connection, person)
        page = lines[:limit]
        earlier = write_place(page[-1].at, page[-1].event_id) if len(lines) > limit else None
        return self.views.detail(person, self.clock.now(), tasks, self._events(lines, limit, private), earlier)

    def _events(self, lines: list[Line], limit: int, private: Role | None) -> list[EventShown]:
        """In order; the one before the page, if there is one, gives the first its distance."""
        in_order = lines[::-1]
        shown = list(zip([None, *in_order], in_order, strict=False))[-limit:]
        return [event_shown(line, self._content(line, private), previous) for previous, line in shown]

    def _content(self, line: Line, private: Role | None) -> dict[str, Any]:
        event = open_body(self.seal, line.event_id, line.type, line.body)
        return content_of(event, private=private is not None and may_read_private(private, line.type))


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person's page as a role sees it."""

    patient_id: str
    role: Role
    before: JournalPlace | None
    desk: Desk
    templates: Templates
    what = "timeline"

    @property
    def key(self) -> Hashable:
        return ("person", self.patient_id, self.role, self.before)

    async def render(self, connection: asyncpg.Connection) -> Rendered:
        """Without fragments where nobody has spoken of them."""
        detail = await self.desk.detail(connection, self.patient_id, before=self.before, private=self.role)
        if detail is None:
            return Rendered({}, frozenset())
        context = {
            "saying": self.templates.saying(self.desk.clock.now()),
            "person": detail,
            "picture": picture(detail.events),
            "numbers": {event.id: number for number, event in enumerate(detail.events, start=1)},
            "reply": _last_reply(detail.events),
            "reads_all": all(may_read_private(self.role, event.type) for event in detail.events),
        }
        parts = ("facts", "events")
        return Rendered(
            {part: self.templates.render(f"person/{part}.html", context) for part in parts}, frozenset([detail.id])
        )


def _last_reply(events: list[EventShown]) -> str | None:
    """What they last texted, for a role that may read it."""
    replies = [one.content for one in events if one.type == ReplyReceived.type]
    texts = [one.get("text") for one in replies if one["meaning"] == ReplyMeaning.OTHER]
    return texts[-1] if texts else None
