"""Coverages and verifications over HTTP. Every look at a patient is recorded."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from billing.paging import Place
from billing.payers.directory import Directory
from billing.verification import insured, shown
from billing.verification.by_hand import (
    AnsweredToday,
    ByHand,
    Corrections,
    NoSuchCoverage,
    NoSuchPayer,
    NotAName,
    NothingChanged,
)
from billing.verification.causes_now import CausesNow
from billing.verification.model import State
from billing.verification.shown import ChangeShown, CoverageShown, QuestionShown, VerificationShown
from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from contracts.billing import Owner

MOST_COVERAGES = 20
MOST_QUESTIONS = 50
MOST_CHANGES = 100

Reader = Annotated[Actor, requires(Role.BILLING, Role.STAFF, Role.CLINICIAN, Role.ENGINE, scope="coverages:read")]
Biller = Annotated[Actor, requires(Role.BILLING)]
Open = Annotated[
    Literal[State.ASKING, State.WAITING, State.WITH_PERSON], Query(description="GET /coverages lists what has ended")
]
PatientIdInPath = Annotated[str, Path(pattern=r"^patient_[0-9a-f-]{36}$", description="`patient_…`")]
CoverageIdInPath = Annotated[str, Path(pattern=r"^coverage_[0-9a-f-]{1,36}$", description="`coverage_…`")]
VerificationIdInPath = Annotated[str, Path(pattern=r"^verification_[0-9a-f-]{36}$", description="`verification_…`")]


class Coverages(BaseModel):
    coverages: list[CoverageShown] = Field(description="Newest first")


class VerificationPage(BaseModel):
    verifications: list[VerificationShown] = Field(description="Oldest first")
    after: str | None = Field(None, description="Ask with this for the page that follows; null on the last one")


class VerificationWithEvidence(VerificationShown):
    asked: list[QuestionShown] = Field(description="Newest first")


class AskAgain(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"forced": True}]})

    forced: bool = Field(False, description="Also when the payer has answered the same question today: each one costs")


class Changes(BaseModel):
    changes: list[ChangeShown] = Field(description="Newest first")


class PayerShown(BaseModel):
    id: str
    name: str


class Payers(BaseModel):
    payers: list[PayerShown]


def coverages(database: Database, directory: Directory, by_hand: ByHand, causes_now: CausesNow) -> APIRouter:
    router = APIRouter(tags=["coverage"])

    @router.get("/patients/{patient_id}/coverages", summary="What a patient's insurance is, and what is known of it")
    async def of_patient(patient_id: PatientIdInPath, actor: Reader) -> Coverages:
        async with database.snapshot() as connection:
            await record_access(connection, actor, subjects=[patient_id], what="coverage")
            found = await shown.coverages_shown(connection, patient_id, MOST_COVERAGES)
            return Coverages(coverages=await causes_now.of_coverages(connection, found))

    @router.get("/verifications", summary="Verifications in one state, the oldest first")
    async def in_state(
        actor: Biller,
        state: Open = State.WITH_PERSON,
        owner: Annotated[Owner | None, Query()] = None,
        after: Annotated[str | None, Query(max_length=200, description="`after` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> VerificationPage:
        place = Place.read(after or None, "after")
        async with database.snapshot() as connection:
            found = await shown.verification_page(connection, state, owner, place, limit + 1)
            page = await causes_now.of_verifications(connection, found[:limit])
            await record_access(
                connection, actor, subjects=sorted({one.patient_id for one in page}), what="verifications"
            )
        last = page[-1] if len(found) > limit else None
        more = str(Place(last.requested_at, last.verification_id)) if last else None
        return VerificationPage(verifications=page, after=more)

    @router.get("/verifications/{verification_id}", summary="One verification with all that was asked and answered")
    async def one(verification_id: VerificationIdInPath, actor: Biller) -> VerificationWithEvidence:
        async with database.snapshot() as connection:
            found = await shown.one_verification(connection, verification_id)
            if found is None:
                raise Problem(404, "No such verification", detail="There is no verification with this id.")
            await record_access(connection, actor, subjects=[found.patient_id], what="verification")
            asked = await shown.questions_shown(connection, verification_id, MOST_QUESTIONS)
            (found,) = await causes_now.of_verifications(connection, [found])
        return VerificationWithEvidence(**found.model_dump(), asked=asked)

    @router.post("/coverages/{coverage_id}/ask-again", status_code=202, summary="Ask the payer once more")
    async def ask_again(coverage_id: CoverageIdInPath, wanted: AskAgain, actor: Biller) -> VerificationShown:
        async with database.transaction() as tx, refusing():
            one = await by_hand.ask_again(tx, coverage_id, actor, forced=wanted.forced)
            return await _looked_at(tx.connection, one.id, actor)

    @router.post("/coverages/{coverage_id}/correction", status_code=202, summary="Correct it, and ask again")
    async def correct(coverage_id: CoverageIdInPath, wanted: Corrections, actor: Biller) -> VerificationShown:
        async with database.transaction() as tx, refusing():
            one = await by_hand.correct(tx, coverage_id, wanted, actor)
            return await _looked_at(tx.connection, one.id, actor)

    @router.get("/coverages/{coverage_id}/changes", summary="What was done by hand, by whom and when")
    async def changes(coverage_id: CoverageIdInPath, actor: Biller) -> Changes:
        async with database.connection() as connection, refusing():
            coverage = await insured.coverage(connection, coverage_id)
            if coverage is None:
                raise NoSuchCoverage
            await record_access(connection, actor, subjects=[coverage.patient_id], what="coverage_changes")
            return Changes(changes=await shown.changes_shown(connection, coverage_id, MOST_CHANGES))

    @router.get("/payers", summary="The payers that can be asked")
    async def payers(actor: Reader) -> Payers:
        return Payers(payers=[PayerShown(id=payer.id, name=payer.name) for payer in directory])

    return router


async def _looked_at(connection: asyncpg.Connection, verification_id: str, actor: Actor) -> VerificationShown:
    found = await shown.one_verification(connection, verification_id)
    assert found is not None
    await record_access(connection, actor, subjects=[found.patient_id], what="verification")
    return found


@asynccontextmanager
async def refusing() -> AsyncGenerator[None]:
    """What cannot be done by hand, as a problem that says why and what is accepted."""
    try:
        yield
    except NoSuchCoverage:
        raise Problem(404, "No such coverage", "There is no coverage with this id.") from None
    except AnsweredToday:
        raise Problem(
            409, "Answered today", "The payer has answered this question today. Set `forced` to ask again all the same."
        ) from None
    except NoSuchPayer:
        raise _fault("payer_id", "No payer that can be asked has this id. GET /payers lists them.") from None
    except NotAName:
        raise _fault("name", "A first and a last name are needed, in letters.") from None
    except NothingChanged:
        raise Problem(409, "Nothing to correct", "Everything stands like this already.") from None


def _fault(field: str, message: str) -> Problem:
    return Problem(422, "Some fields need another look", "See `errors`.", errors=[{"field": field, "message": message}])
