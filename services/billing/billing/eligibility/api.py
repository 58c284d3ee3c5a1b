"""`POST /eligibility`: ask, and have the answer in line where the payer is quick enough."""

from __future__ import annotations

import asyncio
import hashlib
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel
from uuid_utils import uuid7

from billing.clinic import Clinic
from billing.eligibility import store as inquiries
from billing.eligibility.inquiry import ENDED, Answered, Inquiry
from billing.payers.directory import Directory, Payer
from billing.verification import insured
from billing.verification.handlers import Verifying
from billing.verification.insured import Coverage
from billing.verification.shown import one_verification
from chassis.database import Database
from chassis.http import Actor, Answer, Problem, Role, answer_once, record_access, requires
from chassis.transaction import Transaction
from contracts.ids import new_coverage_id

ASK = "eligibility:ask"
LONGEST_WAIT_SECONDS = 20.0
_LOOK_SECONDS = (0.03, 0.25)
"""From the first pause between two looks to the longest."""


class Begun(BaseModel):
    """What is kept of a question's beginning, for its repeats."""

    id: str


Asker = Annotated[Actor, requires(Role.ENGINE, Role.BILLING, scope=ASK)]
Wait = Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS, description="Seconds to wait for the payer's answer")]
Id = Annotated[str, Path(pattern=r"^verification_[0-9a-f-]{36}$")]


def eligibility(database: Database, clinic: Clinic, directory: Directory, verifying: Verifying) -> APIRouter:
    router = APIRouter(tags=["eligibility"], prefix="/eligibility")

    @router.post(
        "",
        summary="Ask a payer about somebody's insurance",
        response_model=Answered,
        responses={202: {"model": Answered, "description": "Asked; the answer is not there yet"}},
    )
    async def ask(
        wanted: Inquiry,
        actor: Asker,
        response: Response,
        wait_seconds: Wait = LONGEST_WAIT_SECONDS,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Answered:
        """200 with the answer, or 202 when it takes longer than `wait_seconds`: look again at `Location`, or be told.

        With an `Idempotency-Key` a repeat asks nothing twice. Without one, what you have been answered today is not
        asked again, unless `forced`. Unknown is never no, and never $0.
        """
        id = await _begun(wanted, actor, idempotency_key)
        return await _awaited(id, actor, response, wait_seconds)

    @router.get("/{id}", summary="What came of a question", response_model=Answered)
    async def again(id: Id, actor: Asker, response: Response, wait_seconds: Wait = 0) -> Answered:
        async with database.connection() as connection:
            kept = await inquiries.kept(connection, database.seal, id)
        if kept is None or (actor.role is Role.ENGINE and kept.actor != actor.name):
            raise Problem(404, "No such question", "You have asked no question with this id.")
        return await _awaited(id, actor, response, wait_seconds)

    async def _begun(wanted: Inquiry, actor: Actor, key: str | None) -> str:
        payer, confidence = _meant(directory, wanted.payer)

        async def operate(tx: Transaction) -> Answer:
            on = wanted.service_date or clinic.local(tx.now).date()
            service_types = tuple(wanted.service_types) or payer.asks
            question = wanted.question(payer.id, on, service_types)
            since, out = clinic.day_began(tx.now), wanted.webhook is None
            id = await inquiries.same(tx.connection, actor.name, question, since, out=out)
            if id is None or wanted.forced:
                coverage = await _insured(tx, wanted, payer, confidence)
                one = await verifying.inquire(tx, coverage, on, service_types)
                await inquiries.keep(tx.connection, database.seal, one.id, actor.name, question, wanted.webhook)
                id = one.id
            return Answer(202, {"id": id})

        secret = wanted.webhook.secret.get_secret_value() if wanted.webhook else ""
        fingerprint = hashlib.sha256(wanted.model_dump_json().encode() + secret.encode()).digest()
        begun = await answer_once(
            database, key=key, scope="POST /eligibility", fingerprint=fingerprint, operate=operate
        )
        return Begun.model_validate_json(bytes(begun.body)).id

    async def _awaited(id: str, actor: Actor, response: Response, wait_seconds: float) -> Answered:
        """Look, holding nothing in between, until it has ended or the time is over. Another replica may end it."""
        until, (pause, longest) = monotonic() + wait_seconds, _LOOK_SECONDS
        while True:
            async with database.connection() as connection:
                found = await one_verification(connection, id)
                assert found is not None
                complete = found.state in ENDED
                left = until - monotonic()
                if complete or left <= 0:
                    await record_access(connection, actor, subjects=[found.patient_id], what="eligibility")
                    break
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, longest)
        response.headers["Location"] = f"/eligibility/{id}"
        response.status_code = 200 if complete else 202
        return Answered(id=id, complete=complete, verification=found)

    return router


def _meant(directory: Directory, said: str) -> tuple[Payer, float]:
    """The payer, and how surely it is meant. Raises Problem where it is not clear."""
    recognised = directory.recognise(said)
    if recognised.payer is None:
        near = ", ".join(f"{payer.name} ({payer.id})" for payer in recognised.nearest) or "see GET /payers"
        fault = f"It is not clear which payer this is. Accepted are the ids and names of: {near}."
        raise Problem(422, "Which payer?", "See `errors`.", [{"field": "payer", "message": fault}])
    return recognised.payer, recognised.confidence


async def _insured(tx: Transaction, wanted: Inquiry, payer: Payer, confidence: float) -> Coverage:
    """Keep whom it is about, as somebody who is no patient here."""
    subject = f"inquiry_{uuid7()}"
    await insured.save_patient(tx.connection, subject, wanted.name, wanted.birth_date)
    coverage = Coverage(
        id=new_coverage_id(),
        patient_id=subject,
        payer_stated=wanted.payer,
        payer_id=payer.id,
        payer_confidence=confidence,
        member_id=wanted.member_id,
        group_number=None,
        holder=wanted.holder,
        source="asked",
        confidence=None,
        reported_at=tx.now,
    )
    await insured.save_coverage(tx.connection, coverage)
    return coverage
