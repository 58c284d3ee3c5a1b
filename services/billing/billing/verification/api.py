"""Coverages and verifications over HTTP. Every look at a patient is recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from billing.payers.directory import Directory
from billing.verification import shown
from billing.verification.model import State
from billing.verification.shown import CoverageShown, QuestionShown, VerificationShown
from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from contracts.billing import Owner

MOST_COVERAGES = 20
MOST_QUESTIONS = 50

Reader = Annotated[Actor, requires(Role.BILLING, Role.STAFF, Role.CLINICIAN)]
Biller = Annotated[Actor, requires(Role.BILLING)]
PatientIdInPath = Annotated[str, Path(pattern=r"^patient_[0-9a-f-]{36}$", description="`patient_…`")]
VerificationIdInPath = Annotated[str, Path(pattern=r"^verification_[0-9a-f-]{36}$", description="`verification_…`")]


class Coverages(BaseModel):
    coverages: list[CoverageShown] = Field(description="Newest first")


class VerificationPage(BaseModel):
    verifications: list[VerificationShown] = Field(description="Oldest first")
    after: datetime | None = Field(None, description="Ask with this for the page that follows; null on the last one")


class VerificationWithEvidence(VerificationShown):
    asked: list[QuestionShown] = Field(description="Newest first")


class PayerShown(BaseModel):
    id: str
    name: str


class Payers(BaseModel):
    payers: list[PayerShown]


def coverages(database: Database, directory: Directory) -> APIRouter:
    router = APIRouter(tags=["coverage"])

    @router.get("/patients/{patient_id}/coverages", summary="What a patient's insurance is, and what is known of it")
    async def of_patient(patient_id: PatientIdInPath, actor: Reader) -> Coverages:
        async with database.connection() as connection:
            await record_access(connection, actor, subjects=[patient_id], what="coverage")
            return Coverages(coverages=await shown.coverages_shown(connection, patient_id, MOST_COVERAGES))

    @router.get("/verifications", summary="Verifications in one state, the oldest first")
    async def in_state(
        actor: Biller,
        state: Annotated[State, Query()] = State.WITH_PERSON,
        owner: Annotated[Owner | None, Query()] = None,
        after: Annotated[AwareDatetime | None, Query(description="`after` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> VerificationPage:
        async with database.connection() as connection:
            found = await shown.verification_page(connection, state, owner, after, limit + 1)
            page = found[:limit]
            await record_access(
                connection, actor, subjects=sorted({one.patient_id for one in page}), what="verifications"
            )
        return VerificationPage(verifications=page, after=page[-1].requested_at if len(found) > limit else None)

    @router.get("/verifications/{verification_id}", summary="One verification with all that was asked and answered")
    async def one(verification_id: VerificationIdInPath, actor: Biller) -> VerificationWithEvidence:
        async with database.connection() as connection:
            found = await shown.one_verification(connection, verification_id)
            if found is None:
                raise Problem(404, "No such verification", detail="There is no verification with this id.")
            await record_access(connection, actor, subjects=[found.patient_id], what="verification")
            asked = await shown.questions_shown(connection, verification_id, MOST_QUESTIONS)
        return VerificationWithEvidence(**found.model_dump(), asked=asked)

    @router.get("/payers", summary="The payers that can be asked")
    async def payers(actor: Reader) -> Payers:
        return Payers(payers=[PayerShown(id=payer.id, name=payer.name) for payer in directory])

    return router
