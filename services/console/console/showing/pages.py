"""The pages: server-rendered, live over server-sent events, and whole without a script."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Form, Header, Path, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from chassis.pages import Live, View, page_files
from console.following.coverage import CoverageState
from console.following.model import Stage
from console.following.tasks import TaskOwner
from console.showing import reading
from console.showing.board import Board, Filter
from console.showing.person import Desk, PersonPage
from console.showing.places import event_place, patient_place, task_place
from console.showing.rendering import Templates

Reader = Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN, Role.BILLING)]
PatientIdInPath = Annotated[str, Path(pattern=r"^patient_[0-9A-Za-z-]{1,64}$", description="`patient_…`")]
Place = Annotated[str | None, Query(max_length=120)]
Mark = Annotated[str, Query(max_length=64, pattern="^[0-9a-f]*$", description="What the page shows already")]
LastSeen = Annotated[str, Header(alias="Last-Event-ID", max_length=64, pattern="^[0-9a-f]*$")]

REFERENCE: Final = re.compile(r"\s*([2-9A-HJKMNP-TV-Z]{4})[\s-]*([2-9A-HJKMNP-TV-Z]{4})\s*", re.IGNORECASE)


def in_url(
    stage: Stage | None = None,
    coverage: CoverageState | None = None,
    owner: TaskOwner | None = None,
    tasks: Literal["all"] | None = None,
    waiting: Literal["yes"] | None = None,
    after: Place = None,
    tasks_after: Place = None,
    danger_after: Place = None,
) -> Filter:
    return Filter(
        stage=stage,
        coverage=coverage,
        owner=owner,
        all_tasks=tasks is not None,
        waiting=waiting is not None,
        after=patient_place(after),
        tasks_after=task_place(tasks_after, "tasks_after"),
        danger_after=task_place(danger_after, "danger_after"),
    )


def console_pages(database: Database, desk: Desk, templates: Templates, live: Live) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def board(shows: Filter) -> Board:
        return Board(shows, desk, templates)

    async def page(template: str, view: View, actor: Actor, live_at: str, **context: object) -> HTMLResponse:
        """The whole page around a view's fragments. Recorded before it is answered."""
        async with database.snapshot() as connection:
            rendered = await view.render(connection)
            if not rendered.fragments:
                raise Problem(404, "No such patient", "Nobody has spoken of anyone under this id.")
            await record_access(connection, actor, subjects=rendered.patients, what=view.what)
        joint = "&" if "?" in live_at else "?"
        whole = {"actor": actor, "fragments": rendered.fragments, "live_at": f"{live_at}{joint}seen={rendered.mark}"}
        return HTMLResponse(templates.render(template, {**whole, **context}))

    @router.get("/")
    async def whole_board(actor: Reader, shows: Annotated[Filter, Depends(in_url)]) -> HTMLResponse:
        query = shows.query()
        return await page("board.html", board(shows), actor, f"/live?{query}" if query else "/live", filter=shows)

    @router.get("/live")
    async def live_board(
        actor: Reader, shows: Annotated[Filter, Depends(in_url)], seen: Mark = "", last_event_id: LastSeen = ""
    ) -> StreamingResponse:
        return live.stream(board(shows), actor, seen=last_event_id or seen)

    @router.get("/patients/{id}")
    async def person(actor: Reader, id: PatientIdInPath, before: Place = None) -> HTMLResponse:
        view = PersonPage(id, actor.role, event_place(before), desk, templates)
        live_at = f"/patients/{id}/live"
        return await page("person.html", view, actor, live_at, live=before is None)

    @router.get("/patients/{id}/live")
    async def live_person(
        actor: Reader, id: PatientIdInPath, seen: Mark = "", last_event_id: LastSeen = ""
    ) -> StreamingResponse:
        return live.stream(PersonPage(id, actor.role, None, desk, templates), actor, seen=last_event_id or seen)

    @router.post("/search")
    async def search(actor: Reader, wanted: Annotated[str, Form(max_length=200)] = "") -> Response:
        """By POST, so that no name gets into an address, a log or a history."""
        async with database.connection() as connection:
            if reference := REFERENCE.fullmatch(wanted):
                found = await reading.with_reference(connection, "-".join(reference.groups()).upper())
                if len(found) == 1:
                    return RedirectResponse(f"/patients/{found[0].id}", 303)
            else:
                found = await reading.named(connection, wanted)
            await record_access(connection, actor, subjects=[one.id for one in found], what="search")
        now: datetime = desk.clock.now()
        context = {
            "actor": actor,
            "wanted": wanted,
            "saying": templates.saying(now),
            "people": [desk.views.patient(one, now) for one in found],
            "most": reading.MOST_NAMED,
        }
        return HTMLResponse(templates.render("search.html", context))

    @router.get("/search")
    async def search_again(actor: Reader) -> Response:
        return RedirectResponse("/", 303)

    router.include_router(page_files(templates.files))
    return router
