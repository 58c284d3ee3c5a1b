"""The addresses of the list. Server-rendered, live, and whole without a script; every look is recorded."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from billing.worklist.addresses import InUrl, LastSeen, Mark, Reader
from billing.worklist.correcting import may_be_meant
from billing.worklist.filter import NO_PAYER
from billing.worklist.overview import Overview
from billing.worklist.rendering import Desk
from chassis.database import Database
from chassis.http import record_access
from chassis.pages import Live, page_files


def list_pages(database: Database, desk: Desk, live: Live) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def home() -> Response:
        return RedirectResponse("/worklist", 303)

    @router.get("/worklist")
    async def whole(actor: Reader, shows: InUrl, sought: Literal["nothing"] | None = None) -> HTMLResponse:
        view = Overview(shows, desk)
        async with database.snapshot() as connection:
            rendered = await view.render(connection)
            await record_access(connection, actor, subjects=rendered.patients, what=view.what)
        context = {
            "actor": actor,
            "shows": shows,
            "directory": desk.directory,
            "no_payer": NO_PAYER,
            "found_none": sought is not None,
            "fragments": rendered.fragments,
            "live_at": f"/worklist/live?{shows.query(seen=rendered.mark)}",
        }
        return HTMLResponse(desk.render("list.html", context))

    @router.get("/worklist/live")
    async def updates(actor: Reader, shows: InUrl, seen: Mark = "", last_event_id: LastSeen = "") -> StreamingResponse:
        return live.stream(Overview(shows, desk), actor, seen=last_event_id or seen)

    @router.post("/worklist/payer")
    async def of_payer(actor: Reader, shows: InUrl, payer: Annotated[str, Form(max_length=200)] = "") -> Response:
        """By POST, so that nothing that was typed gets into an address, a log or a history."""
        if not payer.strip():
            return RedirectResponse(shows.url(payers=()), 303)
        found = may_be_meant(desk.directory, payer)
        if not found:
            return RedirectResponse(f"/worklist?{shows.with_(payers=()).query(sought='nothing')}", 303)
        return RedirectResponse(shows.url(payers=tuple(one.id for one in found)), 303)

    @router.get("/worklist/payer")
    async def of_payer_again(_actor: Reader, shows: InUrl) -> Response:
        return RedirectResponse(shows.url(), 303)

    router.include_router(page_files(desk.files))
    return router
