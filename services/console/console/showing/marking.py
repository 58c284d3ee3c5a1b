"""Marking a task as done: by a button on the pages, or as JSON. Who did it, and when, is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from console.following.marking import Ended, NoSuchTask, NotByHand, OtherThanSeen, mark_done
from console.following.tasks import TaskRules
from console.showing.rendering import Templates

Marker = Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN, Role.BILLING)]
TaskId = Annotated[int, Path(ge=1, lt=2**63)]
Version = Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="The task's `version`, as it was seen")]
Back = Annotated[
    str, Form(max_length=400, pattern=r"^/(patients/patient_[0-9A-Za-z-]{1,64})?(\?[\w=&%~.:+-]*)?(#[a-z]*)?$")
]

_REFUSED: Final[dict[type[Exception], tuple[int, str, str]]] = {
    NoSuchTask: (404, "No such task", "Nobody has been asked to do anything under this id."),
    NotByHand: (409, "Not by hand", "This ends by itself, as soon as the service that it waits for says so."),
    OtherThanSeen: (409, "There is more to it now", "Something was added since you looked. Look at it again."),
}


class Seen(BaseModel):
    """What somebody has dealt with."""

    version: Version


class TaskEnded(BaseModel):
    """How a task ended. One that had ended before stays as it was."""

    id: int
    patient_id: str
    at: datetime
    by: str | None = Field(description="null where it ended by itself")


def marking(database: Database, rules: TaskRules, templates: Templates) -> APIRouter:
    router = APIRouter()

    async def mark(task_id: int, version: str, actor: Actor) -> Ended:
        try:
            async with database.transaction() as tx:
                ended = await mark_done(tx, task_id, version, actor.name, rules)
                await record_access(tx.connection, actor, subjects=[ended.patient_id], what="task_done")
        except tuple(_REFUSED) as refusal:
            raise Problem(*_REFUSED[type(refusal)]) from None
        return ended

    @router.post("/api/tasks/{id}/done", tags=["console"], summary="Somebody has dealt with it")
    async def done(actor: Marker, id: TaskId, seen: Seen) -> TaskEnded:
        """Only tasks with `by_hand`. Doing it again changes nothing."""
        ended = await mark(id, seen.version, actor)
        return TaskEnded(id=id, patient_id=ended.patient_id, at=ended.at, by=ended.by)

    @router.post("/tasks/{id}/done", include_in_schema=False)
    async def done_on_a_page(
        actor: Marker, id: TaskId, version: Annotated[Version, Form()], back: Back = "/"
    ) -> Response:
        try:
            await mark(id, version, actor)
        except Problem as problem:
            context = {"actor": actor, "title": problem.title, "detail": problem.detail, "back": back}
            return HTMLResponse(templates.render("refused.html", context), problem.status_code)
        return RedirectResponse(back, 303)

    return router
