"""The same as JSON: people, one person with their events, and tasks. Every look is recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from chassis.http.places import write_place
from console.following.coverage import CoverageState
from console.following.model import Stage
from console.following.tasks import TaskOwner
from console.showing import reading
from console.showing.pages import PatientIdInPath
from console.showing.person import EVENTS_ON_A_PAGE, Desk
from console.showing.places import event_place, patient_place, task_place
from console.showing.views import PatientDetail, PatientShown, TaskShown

Reader = Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN, Role.BILLING)]
Limit = Annotated[int, Query(ge=1, le=200)]
Place = Annotated[str | None, Query(max_length=120, description="What the page before gave")]


class PatientPage(BaseModel):
    """People, the newest first."""

    patients: list[PatientShown]
    after: str | None = Field(description="Ask with this for the page that follows; null on the last one")


class TaskPage(BaseModel):
    """What stands open, the most pressing first."""

    tasks: list[TaskShown]
    after: str | None = Field(description="Ask with this for the page that follows; null on the last one")


def console_api(database: Database, desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["console"])

    @router.get("/patients", summary="People who asked for help")
    async def patients(
        actor: Reader,
        stage: Stage | None = None,
        coverage: CoverageState | None = None,
        reference: Annotated[str | None, Query(max_length=40, description="Only whoever has exactly this one")] = None,
        after: Place = None,
        limit: Limit = 50,
    ) -> PatientPage:
        async with database.connection() as connection:
            if reference is None:
                place = patient_place(after)
                found = await reading.people(connection, stage=stage, coverage=coverage, after=place, limit=limit + 1)
            else:
                found = await reading.with_reference(connection, reference)
            page = found[:limit]
            await record_access(connection, actor, subjects=[one.id for one in page], what="board")
        now = desk.clock.now()
        return PatientPage(
            patients=[desk.views.patient(one, now) for one in page],
            after=write_place(page[-1].known.arrived_at, page[-1].id) if len(found) > limit else None,
        )

    @router.get("/patients/{id}", summary="One person: facts, tasks, and their events across services")
    async def patient(
        actor: Reader,
        id: PatientIdInPath,
        before: Annotated[str | None, Query(max_length=120, description="`earlier` of the answer before")] = None,
        limit: Limit = EVENTS_ON_A_PAGE,
    ) -> PatientDetail:
        """Fields of events that are marked as private are left out: they are shown on the person's page."""
        async with database.snapshot() as connection:
            found = await desk.detail(connection, id, before=event_place(before), limit=limit)
            if found is None:
                raise Problem(404, "No such patient", "Nobody has spoken of anyone under this id.")
            await record_access(connection, actor, subjects=[id], what="timeline")
        return found

    @router.get("/tasks", summary="What needs a person")
    async def tasks(
        actor: Reader,
        owner: Annotated[TaskOwner | None, Query(description="Who acts next")] = None,
        waiting: Annotated[bool, Query(description="Instead, what still waits for others")] = False,
        after: Place = None,
        limit: Limit = 50,
    ) -> TaskPage:
        now = desk.clock.now()
        async with database.connection() as connection:
            found = await reading.open_tasks(
                connection, now, waiting=waiting, owner=owner, after=task_place(after), limit=limit + 1
            )
            page = found[:limit]
            await record_access(connection, actor, subjects=[one.person.id for one in page], what="tasks")
        return TaskPage(
            tasks=desk.views.tasks(page, now),
            after=write_place(*page[-1].place) if len(found) > limit else None,
        )

    return router
