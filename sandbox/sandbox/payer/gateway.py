"""The gateway's one door, `POST /payer/real-time`, and what goes wrong behind it on request."""

import asyncio
import base64
import itertools
import secrets
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi import HTTPException, Request
from fastapi.security.utils import get_authorization_scheme_param
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse, Response

from sandbox.cutting import cut_off
from sandbox.patience import Patience
from sandbox.payer import answer, envelope, faults
from sandbox.payer.catalogue import Catalogue, Conduct, Payer, Rejection, Scenario, State, Twist
from sandbox.payer.envelope import EnvelopeFault, Question
from sandbox.payer.faults import InterchangeFault, TransactionFault
from sandbox.payer.inquiry import Inquiry, read_inquiry
from sandbox.payer.judgement import Covered, Refused, judge
from sandbox.payer.members import Register
from sandbox.payer.x12 import Interchange, NotX12, Stamp, read
from sandbox.settings import Settings

HEALTHY = Conduct()
CANNOT_RESPOND_NOW = Rejection(loop="source", code="42", valid="Y", next_step="P")
"""Rejected now, resubmit the original: X12 005010X279A1, AAA03 42 and AAA04 P at 2100A."""


@dataclass(slots=True)
class Asking:
    """A question as the gateway remembers it."""

    at: datetime
    payload_id: str
    payer: str = ""
    member_id: str = ""
    trace: str = ""
    service_types: tuple[str, ...] = ()
    service_date: str = ""
    outcome: str = "waiting"
    """active · inactive · AAA and its code · 999 · TA1 · envelope fault · or the conduct that kept it from one."""
    milliseconds: float | None = None


@dataclass(slots=True)
class Record:
    """Everything that was asked: all of it counted, the last of it kept."""

    kept: deque[Asking]
    asked: int = 0
    by_payer: Counter[str] = field(default_factory=lambda: Counter[str]())
    by_outcome: Counter[str] = field(default_factory=lambda: Counter[str]())

    def open(self, payload_id: str) -> Asking:
        asking = Asking(datetime.now(UTC), payload_id)
        self.asked += 1
        self.kept.append(asking)
        return asking

    def matching(self, payer: str | None, member_id: str | None, limit: int) -> list[Asking]:
        """The latest questions, newest first."""
        wanted = (
            asking
            for asking in reversed(self.kept)
            if payer in (None, asking.payer) and member_id in (None, asking.member_id)
        )
        return list(itertools.islice(wanted, limit))

    def clear(self) -> None:
        self.kept.clear()
        self.by_payer.clear()
        self.by_outcome.clear()
        self.asked = 0


class Gateway:
    """Answers for every payer; each may be made to misbehave without touching another."""

    def __init__(self, settings: Settings, catalogue: Catalogue, patience: Patience) -> None:
        self.catalogue = catalogue
        self.register = Register(catalogue, settings.payer_members_kept)
        self.record = Record(deque(maxlen=settings.payer_questions_kept))
        self._credentials = settings.payer_username, settings.payer_password
        self._patience = patience
        self._conduct: dict[str, Conduct] = {}
        self._numbers = itertools.count(1)

    def conduct_of(self, payer: Payer) -> Conduct:
        return self._conduct.get(payer.key, HEALTHY)

    def set_conduct(self, payer: Payer, conduct: Conduct) -> None:
        self._conduct[payer.key] = conduct

    def heal(self) -> None:
        """Every payer well again."""
        self._conduct.clear()

    async def real_time(self, request: Request) -> Response:
        """Take one envelope and answer it."""
        began = time.perf_counter()
        try:
            question = await self._take(request)
        except EnvelopeFault as fault:
            self.record.asked += 1
            self.record.by_outcome["envelope fault"] += 1
            return envelope.seal_fault(fault, 403 if fault.code == "UnAuthorized" else 200)
        asking = self.record.open(question.payload_id)
        try:
            return await self._respond(request, question, asking)
        finally:
            asking.milliseconds = round((time.perf_counter() - began) * 1000, 3)
            payer = self.catalogue.payer(asking.payer)
            self.record.by_payer[payer.key if payer else "unknown"] += 1
            self.record.by_outcome[asking.outcome] += 1

    async def _take(self, request: Request) -> Question:
        try:
            form = await request.form(max_files=1, max_fields=20)
        except (MultiPartException, HTTPException) as error:
            raise EnvelopeFault("PayloadRequired", "The request is not multipart/form-data.") from error
        question = await envelope.open_envelope(form)
        if self._credentials[0] and not self._admits(request, question):
            raise EnvelopeFault("UnAuthorized", "User name and password were not accepted.", question.sender)
        return question

    def _admits(self, request: Request, question: Question) -> bool:
        scheme, encoded = get_authorization_scheme_param(request.headers.get("authorization"))
        offered = f"{question.user}:{question.password}".encode()
        if scheme.lower() == "basic":
            try:
                offered = base64.b64decode(encoded, validate=True)
            except ValueError:
                return False
        return secrets.compare_digest(offered, ":".join(self._credentials).encode())

    async def _respond(self, request: Request, question: Question, asking: Asking) -> Response:
        try:
            asked = read(question.payload)
        except NotX12 as error:
            asking.outcome = "envelope fault"
            return envelope.seal_fault(EnvelopeFault("PayloadIllegal", f"{error}.", question.sender, question.receiver))
        fault = faults.find(asked)
        if fault is not None:
            return self._refuse(question, asked, fault, asking)
        inquiry = read_inquiry(asked)
        _note(asking, inquiry)
        scenario, conduct = self._manner(inquiry)
        if conduct.state is State.SLOW:
            await self._patience.wait(conduct.seconds)
        if early := await self._instead(request, conduct, asking):
            return early
        answered = self._answer(question, asked, inquiry, scenario, conduct, asking)
        return cut_off(answered) if conduct.state is State.CUT_OFF else answered

    def _manner(self, inquiry: Inquiry) -> tuple[Scenario | None, Conduct]:
        """The scenario of the member asked about, and how this question is treated: the payer's state comes first."""
        payer = self.catalogue.payer(inquiry.payer[9])
        if payer is None:
            return None, HEALTHY
        member = self.register.find(payer.key, inquiry.subscriber.member_id)
        scenario = self.register.scenario(member) if member else None
        conduct = self._spend(payer)
        if conduct.state is State.HEALTHY and member is not None:
            conduct = self.register.conduct(member) or HEALTHY
        return scenario, conduct

    def _spend(self, payer: Payer) -> Conduct:
        conduct = self.conduct_of(payer)
        if conduct.times is not None:
            left = conduct.times - 1
            self._conduct[payer.key] = conduct.model_copy(update={"times": left}) if left else HEALTHY
        return conduct

    async def _instead(self, request: Request, conduct: Conduct, asking: Asking) -> Response | None:
        """What comes in place of an answer, if anything does."""
        match conduct.state:
            case State.HANGING:
                asking.outcome = "hanging"
                await self._until_gone(request)
                return PlainTextResponse("The gateway is closing.", 503)
            case State.BROKEN:
                asking.outcome = f"HTTP {conduct.status}"
                return PlainTextResponse("The payer's system failed.", conduct.status)
            case State.GARBAGE:
                asking.outcome = "garbage"
                return Response(b"<html><body>Proxy Error</body></html>\x00\xff\xfe", media_type="text/html")
            case _:
                return None

    async def _until_gone(self, request: Request) -> None:
        """Wait until the asker hangs up or the sandbox closes."""
        waits = {asyncio.ensure_future(request.receive()), asyncio.ensure_future(self._patience.forever())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _answer(
        self,
        question: Question,
        asked: Interchange,
        inquiry: Inquiry,
        scenario: Scenario | None,
        conduct: Conduct,
        asking: Asking,
    ) -> Response:
        twist = scenario.twist if scenario else None
        if twist is Twist.REFUSED_999:
            return self._refuse(question, asked, TransactionFault("5", "EQ", 13, "8"), asking)
        stamp = self._stamp()
        judged = judge(inquiry, self.register, self.catalogue, stamp.at.date())
        if conduct.state is State.REFUSING:
            judged = Refused(CANNOT_RESPOND_NOW, self.catalogue.payer(inquiry.payer[9]))
        asking.outcome = _outcome(judged)
        if twist is Twist.OTHER_PATIENT:
            judged = answer.swap_patient(judged, self.catalogue)
        written = answer.write(asked, inquiry, judged, stamp)
        return envelope.seal(question, envelope.ANSWER_TYPE, _twisted(written, twist, asked, stamp))

    def _refuse(
        self,
        question: Question,
        asked: Interchange,
        fault: InterchangeFault | TransactionFault,
        asking: Asking,
    ) -> Response:
        if isinstance(fault, InterchangeFault):
            asking.outcome = "TA1"
            written = faults.refuse_interchange(asked, fault, self._stamp())
            return envelope.seal(question, envelope.INTERCHANGE_ACKNOWLEDGEMENT_TYPE, written)
        asking.outcome = "999"
        written = faults.refuse_transaction(asked, fault, self._stamp())
        return envelope.seal(question, envelope.ACKNOWLEDGEMENT_TYPE, written)

    def _stamp(self) -> Stamp:
        return Stamp(next(self._numbers) % 1_000_000_000, datetime.now(UTC))


def _note(asking: Asking, inquiry: Inquiry) -> None:
    patient = inquiry.patient
    asking.payer = inquiry.payer[9]
    asking.member_id = inquiry.subscriber.member_id
    asking.trace = patient.traces[0][2] if patient.traces else ""
    asking.service_types = tuple(patient.service_types)
    asking.service_date = patient.date


def _outcome(judged: Refused | Covered) -> str:
    if isinstance(judged, Refused):
        return f"AAA {judged.rejection.code}"
    return "active" if judged.active else "inactive"


def _twisted(written: str, twist: Twist | None, asked: Interchange, stamp: Stamp) -> str:
    element = asked.separators.element
    number = f"{stamp.control_number:09d}"
    match twist:
        case Twist.WRONG_CONTROL_NUMBER:
            wrong = f"{(stamp.control_number + 7) % 1_000_000_000:09d}"
            return written.replace(f"IEA{element}1{element}{number}", f"IEA{element}1{element}{wrong}")
        case Twist.TWICE:
            return written + written
        case _:
            return written
