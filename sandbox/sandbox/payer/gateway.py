"""The gateway's one door, `POST /payer/real-time`, and what goes wrong behind it on request."""

import asyncio
import base64
import itertools
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from sandbox.cutting import cut_off
from sandbox.patience import Patience
from sandbox.payer import answer, envelope, faults
from sandbox.payer.catalogue import Catalogue, Conduct, Member, Payer, Rejection, State, Twist
from sandbox.payer.envelope import EnvelopeFault, Question
from sandbox.payer.faults import InterchangeFault, TransactionFault
from sandbox.payer.inquiry import Inquiry, read_inquiry
from sandbox.payer.judgement import Covered, Refused, judge
from sandbox.payer.members import Register
from sandbox.payer.record import Asking, Record
from sandbox.payer.strangers import Mode, Strangers, Whom
from sandbox.payer.x12 import Interchange, NotX12, Stamp, read
from sandbox.settings import Settings

REAL_TIME = "/payer/real-time"
HEALTHY = Conduct()
CANNOT_RESPOND_NOW = Rejection(loop="source", code="42", valid="Y", next_step="P")
"""Rejected now, resubmit the original: X12 005010X279A1, AAA03 42 and AAA04 P at 2100A."""
PAYER_UNKNOWN = Rejection(loop="source", code="T4")
FIRST_ANSWERS_KEPT = 1000
LARGEST_QUESTION = 1_000_000


@dataclass(frozen=True, slots=True)
class _Case:
    """One question with all that decides its answer."""

    question: Question
    asked: Interchange
    inquiry: Inquiry
    payer: Payer | None
    found: Member | Rejection
    conduct: Conduct
    twist: Twist | None


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
        self._first_answers: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._member: Callable[[Payer, Inquiry], Member | Rejection] = self.register.member
        self._mode = Mode()

    def conduct_of(self, payer: Payer) -> Conduct:
        return self._conduct.get(payer.key, HEALTHY)

    def set_conduct(self, payer: Payer, conduct: Conduct) -> None:
        self._conduct[payer.key] = conduct

    def heal(self) -> None:
        """Every payer well again."""
        self._conduct.clear()

    @property
    def mode(self) -> Mode:
        return self._mode

    def answer_for(self, mode: Mode) -> None:
        """Change whom the gateway answers for, and begin again. Raises ValueError for what cannot be drawn from."""
        if problem := mode.problem_with(self.catalogue):
            raise ValueError(problem)
        self._mode = mode
        whoever = Strangers(mode, self.catalogue, self.register)
        self._member = self.register.member if mode.mode is Whom.MEMBERS else whoever.member
        self.register.begin_again()
        self._first_answers.clear()

    async def real_time(self, request: Request) -> Response:
        """Take one envelope and answer it."""
        began = time.perf_counter()
        try:
            question = await self._take(request)
        except EnvelopeFault as fault:
            self.record.note_fault()
            return envelope.seal_fault(fault, 403 if fault.code == "UnAuthorized" else 200)
        except ClientDisconnect:
            return PlainTextResponse("Nobody waits for this.", 400)
        asking = self.record.open(question.payload_id)
        try:
            return await self._respond(request, question, asking)
        finally:
            payer = self.catalogue.payer(asking.payer)
            self.record.close(asking, payer.key if payer else "unknown", round((time.perf_counter() - began) * 1e3, 3))

    async def _take(self, request: Request) -> Question:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_QUESTION:
                raise EnvelopeFault("PayloadIllegal", f"A question is at most {LARGEST_QUESTION} bytes long.")
        question = envelope.open_envelope(request.headers.get("content-type", ""), bytes(body))
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
        case = self._case(question, asked, asking)
        if case.conduct.state is State.SLOW:
            await self._patience.wait(case.conduct.seconds)
        if early := await self._instead(request, case.conduct, asking):
            return early
        answered = self._answer(case, asking)
        return cut_off(answered) if case.conduct.state is State.CUT_OFF else answered

    def _case(self, question: Question, asked: Interchange, asking: Asking) -> _Case:
        """Whom the question is about, and how it is treated: the payer's state comes before the member's."""
        inquiry = read_inquiry(asked)
        _note(asking, inquiry)
        payer = self.catalogue.payer(asking.payer)
        if payer is None:
            return _Case(question, asked, inquiry, None, PAYER_UNKNOWN, HEALTHY, None)
        found = self._member(payer, inquiry)
        conduct, twist = self._spend(payer), None
        if isinstance(found, Member):
            asking.scenario = found.scenario
            twist = self.catalogue.scenarios[found.scenario].twist
            if conduct.state is State.HEALTHY:
                conduct = self.register.conduct(found) or HEALTHY
        return _Case(question, asked, inquiry, payer, found, conduct, twist)

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

    def _answer(self, case: _Case, asking: Asking) -> Response:
        if case.twist is Twist.REFUSED_999:
            return self._refuse(case.question, case.asked, faults.in_the_question(case.asked), asking)
        stamp = self._stamp(case.inquiry.asked_at)
        judged = _judged(case, self.catalogue, stamp)
        asking.outcome = _outcome(judged)
        if case.twist is Twist.OTHER_PATIENT:
            judged = answer.swap_patient(judged, self.catalogue)
        written = answer.write(case.asked, case.inquiry, judged, stamp)
        if case.twist is not None:
            written = self._twisted(written, case, stamp)
        return envelope.seal(case.question, envelope.ANSWER_TYPE, written)

    def _twisted(self, written: str, case: _Case, stamp: Stamp) -> str:
        match case.twist:
            case Twist.WRONG_CONTROL_NUMBER:
                return _misnumbered(written, case.asked.separators.element, stamp)
            case Twist.TWICE:
                return written + written
            case Twist.REPLAYED if isinstance(case.found, Member):
                return self._first(case.found, written)
            case _:
                return written

    def _first(self, member: Member, written: str) -> str:
        """What was answered for this member the first time."""
        first = self._first_answers.setdefault((member.payer, member.member_id), written)
        while len(self._first_answers) > FIRST_ANSWERS_KEPT:
            self._first_answers.popitem(last=False)
        return first

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

    def _stamp(self, asked_at: datetime | None = None) -> Stamp:
        """The payer lives in the asker's time: a clinic whose days pass faster than ours is answered on its own day."""
        return Stamp(next(self._numbers) % 1_000_000_000, asked_at or datetime.now(UTC))


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


def _judged(case: _Case, catalogue: Catalogue, stamp: Stamp) -> Refused | Covered:
    if case.conduct.state is State.REFUSING:
        return Refused(CANNOT_RESPOND_NOW, case.payer)
    if case.payer is None:
        return Refused(PAYER_UNKNOWN)
    return judge(case.inquiry, case.payer, case.found, catalogue, stamp.at.date())


def _misnumbered(written: str, element: str, stamp: Stamp) -> str:
    """IEA02 that is not ISA13."""
    number, wrong = (
        f"IEA{element}1{element}{n % 1_000_000_000:09d}" for n in (stamp.control_number, stamp.control_number + 7)
    )
    return written.replace(number, wrong)
