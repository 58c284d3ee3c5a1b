"""The door for engines: take questions, post what the payers said, give back what cannot be asked."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from billing.engines import store
from billing.engines.store import Fate
from billing.payers.directory import Directory
from billing.payers.gateway import Reply
from billing.verification.asking import Question, Questions
from billing.verification.insured import lock_patient
from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from chassis.transaction import Transaction

ANSWER = "engine:answer"
LARGEST_ANSWER = 1_000_000

Engine = Annotated[Actor, requires(Role.ENGINE, scope=ANSWER)]


class Wanted(BaseModel):
    """How many questions an engine would take, and for how long it needs them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"at_most": 10, "seconds": 60}]})

    payers: list[str] | None = Field(None, max_length=100, description="Payer ids; default: all that engines answer")
    at_most: int = Field(10, ge=1, le=100)
    seconds: int = Field(60, ge=5, le=600, description="After so long without an answer another engine may take it")


class QuestionLeased(BaseModel):
    """A question, as fields and as the 270 to send."""

    lease_id: UUID
    until: datetime
    trace: str = Field(description="TRN02: the answer has to bring it back")
    payer_id: str
    payer: str
    name: str
    birth_date: date | None
    member_id: str
    holder: str | None
    service_date: date
    service_types: list[str]
    x12_270: str | None = Field(description="null where the standard has no words for this name")


class Leases(BaseModel):
    leases: list[QuestionLeased]


class Result(BaseModel):
    """What the payer said, or why it said nothing. Exactly one of both."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [{"failed": "timed_out"}]}
    )

    x12: str | None = Field(None, min_length=1, max_length=LARGEST_ANSWER, description="The 271, 999 or TA1 as it came")
    failed: Literal["timed_out", "unreachable", "busy", "failing"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.x12 is None) == (self.failed is None):
            raise ValueError("exactly one of x12 and failed should be there")
        return self

    def reply(self) -> Reply:
        return Reply(payload=self.x12.encode()) if self.x12 is not None else Reply.failed(self.failed or "")

    def digest(self) -> bytes:
        return hashlib.sha256(f"{self.failed}\n{self.x12}".encode()).digest()


class Became(BaseModel):
    """What became of a result: `taken` decided; `late` came when the question was open no more, and changed nothing."""

    fate: Fate
    verification_id: str


def engines(database: Database, directory: Directory, questions: Questions) -> APIRouter:
    router = APIRouter(prefix="/engines", tags=["engines"])

    @router.post("/leases", summary="Take questions to ask")
    async def lease(wanted: Wanted, actor: Engine) -> Leases:
        """Those that have waited longest. Each is nobody else's until `until`."""
        ours = [payer.id for payer in directory if payer.answered_by == "engine"]
        payers = [id for id in ours if wanted.payers is None or id in wanted.payers]
        async with database.transaction() as tx:
            taken = await store.take(tx.connection, payers, wanted.at_most, actor.name, wanted.seconds)
            leases = {one.trace: one for one in taken}
            found = await questions.decided(tx.connection, list(leases))
            subjects = [one.decided.patient_id for one in found]
            await record_access(tx.connection, actor, subjects=subjects, what="question")
            return Leases(leases=[_leased(leases[one.decided.asked.trace], one) for one in found])

    @router.post("/leases/{lease_id}/result", summary="Post what the payer said")
    async def result(lease_id: UUID, given: Result, actor: Engine) -> Became:
        """The same result may be posted again. One that comes late is kept, and changes nothing."""
        async with database.transaction() as tx:
            held = await _held(tx, lease_id, actor)
            if held.fate is not None:
                if held.fate is Fate.RELEASED or held.digest != given.digest():
                    raise Problem(409, "Answered otherwise", "Under this lease something else was posted before.")
                return Became(fate=held.fate, verification_id=held.verification_id)
            if held.counts:
                await questions.replied(tx, held.trace, given.reply())
            answer = given.x12.encode() if given.x12 and not held.counts else None
            fate = Fate.TAKEN if held.counts else Fate.LATE
            await store.end(tx.connection, lease_id, fate, given.digest(), answer)
            return Became(fate=fate, verification_id=held.verification_id)

    @router.post("/leases/{lease_id}/release", summary="Give a question back")
    async def release(lease_id: UUID, actor: Engine) -> Became:
        async with database.transaction() as tx:
            held = await _held(tx, lease_id, actor)
            if held.fate is None:
                await store.end(tx.connection, lease_id, Fate.RELEASED)
                await store.give_back(tx.connection, held)
            elif held.fate is not Fate.RELEASED:
                raise Problem(409, "Answered", "A result was posted under this lease before.")
            return Became(fate=Fate.RELEASED, verification_id=held.verification_id)

    async def _held(tx: Transaction, lease_id: UUID, actor: Actor) -> store.Held:
        """The lease, locked after its patient. An engine sees its own alone."""
        first = await store.held(tx.connection, lease_id, actor.name)
        if first is None:
            raise Problem(404, "No such lease", "You have taken no question under this lease.")
        await lock_patient(tx.connection, first.patient_id)
        await store.lock(tx.connection, lease_id)
        held = await store.held(tx.connection, lease_id, actor.name)
        assert held is not None
        return held

    return router


def _leased(lease: store.Lease, question: Question) -> QuestionLeased:
    asked, payer = question.decided.asked, question.payer
    return QuestionLeased(
        lease_id=lease.lease_id,
        until=lease.until,
        trace=asked.trace,
        payer_id=payer.id,
        payer=payer.name,
        name=asked.insured.name,
        birth_date=asked.insured.birth_date,
        member_id=asked.insured.member_id,
        holder=asked.insured.holder,
        service_date=asked.service_date,
        service_types=list(asked.service_types),
        x12_270=question.sent.decode() if question.sent else None,
    )
