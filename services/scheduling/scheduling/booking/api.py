"""Appointments over HTTP, for staff. Every look at a patient is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from chassis.clock import Clock
from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from chassis.http.places import instant, name, read_place, write_place
from contracts.scheduling import AppointmentKind
from scheduling.booking import store
from scheduling.booking.store import Appointment
from scheduling.clinic import Clinic

FIRST_YEAR, LAST_YEAR = 2000, 2200
LONGEST_SPAN = timedelta(days=92)

Reader = Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN)]
_After = Annotated[str | None, Query(max_length=150, pattern=r"^[!-~]+$", description="`after` of the page before")]
_Limit = Annotated[int, Query(ge=1, le=200)]


class AppointmentShown(BaseModel):
    appointment_id: str
    patient_id: str
    intake_id: str | None
    kind: AppointmentKind
    urgent: bool
    version: int = Field(description="Counts the changes of this appointment from 1")
    starts_at: datetime = Field(description="With the clinic's own offset from UTC")
    ends_at: datetime
    clinician: str
    room: str
    booked_at: datetime
    cancelled_at: datetime | None


class AppointmentPage(BaseModel):
    time_zone: str = Field(description="IANA name of the clinic's zone")
    appointments: list[AppointmentShown]
    after: str | None = Field(None, description="Ask with this for the page that follows; null on the last one")


class UnplacedShown(BaseModel):
    intake_id: str
    patient_id: str
    urgent: bool
    since: datetime


class UnplacedPage(BaseModel):
    unplaced: list[UnplacedShown]
    after: str | None = Field(None, description="Ask with this for the page that follows; null on the last one")


def appointments(database: Database, clinic: Clinic, clock: Clock) -> APIRouter:
    router = APIRouter(tags=["appointments"])

    def shown(one: Appointment) -> AppointmentShown:
        zone = clinic.time_zone
        return AppointmentShown(
            appointment_id=one.id,
            patient_id=one.patient_id,
            intake_id=one.intake_id,
            kind=one.kind,
            urgent=one.urgent,
            version=one.version,
            starts_at=one.starts_at.astimezone(zone),
            ends_at=one.ends_at.astimezone(zone),
            clinician=one.clinician,
            room=one.room,
            booked_at=one.booked_at,
            cancelled_at=one.cancelled_at,
        )

    def paged(found: Sequence[Appointment], limit: int) -> AppointmentPage:
        page, more = found[:limit], len(found) > limit
        return AppointmentPage(
            time_zone=clinic.time_zone.key,
            appointments=[shown(one) for one in page],
            after=write_place(page[-1].starts_at, page[-1].id) if more else None,
        )

    @router.get("/appointments", summary="Appointments by time")
    async def by_time(
        actor: Reader,
        since: Annotated[AwareDatetime | None, Query(alias="from", description="Default: now")] = None,
        until: Annotated[AwareDatetime | None, Query(alias="to", description="Default: a week after `from`")] = None,
        after: _After = None,
        limit: _Limit = 50,
    ) -> AppointmentPage:
        since, until = _span(since or clock.now(), until)
        place = _place(after) or (since, "")
        async with database.connection() as connection:
            found = await store.between(connection, since, until, place, limit + 1)
            subjects = [one.patient_id for one in found[:limit]]
            await record_access(connection, actor, subjects=subjects, what="appointments")
        return paged(found, limit)

    @router.get("/patients/{patient_id}/appointments", summary="One patient's appointments, the latest first")
    async def of_patient(
        actor: Reader,
        patient_id: Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")],
        after: _After = None,
        limit: _Limit = 50,
    ) -> AppointmentPage:
        place = _place(after)
        async with database.connection() as connection:
            found = await store.of_patient(connection, patient_id, place, limit + 1)
            await record_access(connection, actor, subjects=[patient_id], what="appointments")
        return paged(found, limit)

    @router.get("/unplaced-assessments", summary="Those for whom no time was free, the longest waiting first")
    async def unplaced(actor: Reader, after: _After = None, limit: _Limit = 50) -> UnplacedPage:
        place = _place(after)
        async with database.connection() as connection:
            found = await store.unplaced(connection, place, limit + 1)
            page, more = found[:limit], len(found) > limit
            await record_access(connection, actor, subjects=[one.patient_id for one in page], what="appointments")
        return UnplacedPage(
            unplaced=[
                UnplacedShown(intake_id=one.intake_id, patient_id=one.patient_id, urgent=one.urgent, since=one.since)
                for one in page
            ],
            after=write_place(page[-1].since, page[-1].intake_id) if more else None,
        )

    return router


def _place(after: str | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    at, id = read_place(after, "after", _instant, name)
    return at, id


def _instant(text: str) -> datetime:
    found = instant(text)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError
    return found


def _span(since: datetime, until: datetime | None) -> tuple[datetime, datetime]:
    if not FIRST_YEAR <= since.year <= LAST_YEAR:
        raise _bad_span("from", f"The year has to be from {FIRST_YEAR} to {LAST_YEAR}.")
    until = until or since + timedelta(days=7)
    if not timedelta() < until - since <= LONGEST_SPAN:
        raise _bad_span("to", f"It has to be later than `from`, by at most {LONGEST_SPAN.days} days.")
    return since, until


def _bad_span(field: str, message: str) -> Problem:
    return Problem(422, "The time asked for is not valid", errors=[{"field": field, "message": message}])
