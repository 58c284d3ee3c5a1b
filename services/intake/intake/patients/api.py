"""Patients and intakes for staff. Every look is recorded before it is granted."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from chassis.log import logger
from contracts.intake import CardField
from intake.card_reading.images import CardImages
from intake.card_reading.store import find_card
from intake.patients import store
from intake.uploads.keyring import KeyRingUnusable
from intake.uploads.sealing import SealBroken

Reader = Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN, Role.BILLING)]
Carer = Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN)]
PatientIdInPath = Annotated[str, Path(pattern=r"^patient_[0-9a-f-]{36}$", description="`patient_…`")]
Side = Literal["front", "back"]


class Consent(BaseModel):
    kind: str
    wording: str
    wording_version: str
    given_at: datetime


class IntakeOfPatient(BaseModel):
    """One form, what was typed in it, what its card says, and the coverage told to billing."""

    id: str
    reference: str
    submitted_at: datetime
    in_danger: bool | None = Field(description="null where the question was left open")
    reason: str | None
    treatment: str | None
    insured: str | None
    typed_payer: str | None
    typed_member_id: str | None
    assessment_booked_at: datetime | None
    card_sides: list[Side]
    card_outcome: str | None = Field(description="`read`, `unreadable`, `failed`; null while unread or without a card")
    card_fields: list[CardField]
    card_contradicted: list[str] = Field(description="Fields in which the card says another thing than was typed")
    coverage_id: str | None
    payer: str | None
    member_id: str | None
    group_number: str | None
    holder: str | None
    source: str | None
    confidence: float | None


class Patient(BaseModel):
    id: str
    name: str
    phone: str | None = Field(description="E.164")
    email: str | None
    birth_date: date | None
    registered_at: datetime
    consents: list[Consent]
    intakes: list[IntakeOfPatient] = Field(description="Newest first")


class ListedIntake(BaseModel):
    id: str
    patient_id: str
    name: str
    reference: str
    submitted_at: datetime
    in_danger: bool | None
    treatment: str | None
    insured: str | None
    card_received: bool
    card_outcome: str | None
    assessment_booked_at: datetime | None


class IntakePage(BaseModel):
    intakes: list[ListedIntake]
    after: str | None = Field(description="Ask with this for the page that follows; null on the last one")


def patient_pages(database: Database, images: CardImages) -> APIRouter:
    router = APIRouter(tags=["patients"])

    @router.get("/patients/{id}", summary="A patient with all that they told us")
    async def patient(actor: Carer, id: PatientIdInPath) -> Patient:
        async with database.connection() as connection:
            found = await store.find_patient(connection, id)
            if found is None:
                raise _unknown()
            await record_access(connection, actor, subjects=[id], what="patient")
        return Patient.model_validate(found)

    @router.get("/intakes", summary="Who asked for help: those in danger first, then the longest waiting")
    async def intakes(
        actor: Carer,
        waiting: Annotated[bool, Query(description="False for all of them, the newest first")] = True,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[
            str | None, Query(pattern=r"^intake_[0-9a-f-]{36}$", description="The id that came last")
        ] = None,
    ) -> IntakePage:
        async with database.connection() as connection:
            rows = await store.list_intakes(connection, waiting=waiting, after=after, limit=limit + 1)
            page = rows[:limit]
            await record_access(connection, actor, subjects=[row["patient_id"] for row in page], what="intakes")
        return IntakePage(
            intakes=[ListedIntake.model_validate(row) for row in page],
            after=page[-1]["id"] if len(rows) > limit else None,
        )

    @router.get(
        "/patients/{id}/cards/{side}",
        summary="The photograph of an insurance card",
        response_class=StreamingResponse,
        responses={200: {"content": {"image/jpeg": {}}}},
    )
    async def card(actor: Reader, id: PatientIdInPath, side: Side) -> StreamingResponse:
        async with database.connection() as connection:
            found = await find_card(connection, id, side)
            if found is None:
                raise Problem(404, "No such card", "This patient sent no photo of this side.")
            await record_access(connection, actor, subjects=[id], what=f"card_{side}")
        try:
            stream = images.stream(found)
            first = await anext(stream)
        except (FileNotFoundError, SealBroken, KeyRingUnusable) as error:
            logger.error("card_cannot_be_opened", cause=type(error).__name__)
            raise Problem(
                500, "The photo cannot be opened", "It was altered, or its key is missing. Tell operations."
            ) from None
        return StreamingResponse(
            _joined(first, stream), media_type="image/jpeg", headers={"Content-Length": str(found.size)}
        )

    return router


async def _joined(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Begun before the answer is, so that an image that cannot be opened is told as such."""
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


def _unknown() -> Problem:
    return Problem(404, "No such patient", "Nobody is registered under this id.")
