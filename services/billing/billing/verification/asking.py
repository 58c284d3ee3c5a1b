"""Asking a payer: the call outside of any transaction, and what becomes of its answer inside one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.benefits.services import Catalogue
from billing.clinic import Clinic
from billing.payers.directory import Directory, Payer
from billing.payers.gateway import Reply, Transport
from billing.verification import causes, insured, store
from billing.verification.answer import Finding, Next, Outcome, judge
from billing.verification.concluding import conclude
from billing.verification.insured import Connection
from billing.verification.metrics import VerificationMetrics
from billing.verification.model import State
from billing.verification.question import CannotAsk, write
from billing.verification.store import Decided
from chassis.database import Database
from chassis.outside import OutsideRefused, OutsideTask
from chassis.timers import Timer
from chassis.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Question:
    """A question that was decided, and the 270 that asks it; None where the standard has no words for it."""

    decided: Decided
    payer: Payer
    sent: bytes | None


@dataclass(frozen=True, slots=True)
class Asking:
    """What came of one question."""

    finding: Finding
    asked_at: datetime
    sent: bytes | None = None
    answer: bytes | None = None


class Questions:
    """Carries out the questions that were decided, and keeps what came of each."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        clinic: Clinic,
        directory: Directory,
        catalogue: Catalogue,
        transport: Transport,
        metrics: VerificationMetrics,
    ) -> None:
        self._database = database
        self._now = now
        self._clinic = clinic
        self._directory = directory
        self._catalogue = catalogue
        self._transport = transport
        self._metrics = metrics

    async def decided(self, connection: Connection, traces: Sequence[str]) -> list[Question]:
        """Those of the questions under these traces that a payer of ours can be asked."""
        found = await store.decided_questions(connection, traces)
        return [
            Question(one, payer, self._written(one, payer))
            for one in found
            if (payer := self._directory.get(one.payer_id)) is not None
        ]

    async def call(self, task: OutsideTask) -> Asking:
        """Ask, and judge the answer. A repeat after a crash carries the same numbers.

        What was superseded while it waited is not asked: each question costs, and a newer one asks.
        """
        async with self._database.connection() as connection:
            question = await self._one(connection, task.purpose)
        if not question.decided.counts:
            raise OutsideRefused("superseded")
        asked_at = self._now()
        if question.sent is None:
            return Asking(_for_person("cannot_ask"), asked_at)
        with self._metrics.asking(question.payer.id):
            reply = await self._transport.ask(question.payer, str(task.id), question.sent)
        return self._judged(question, reply, asked_at)

    async def answered(self, tx: Transaction, task: OutsideTask, asking: Asking) -> None:
        """Keep the evidence; conclude if this is still the question that counts."""
        await insured.lock_patient(tx.connection, task.subject or "")
        await self._end(tx, task.purpose, asking)

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause_code: str) -> None:
        """We could not even ask: our own fault, and never the patient's."""
        await self.answered(tx, task, Asking(_for_person("internal"), tx.now))

    async def replied(self, tx: Transaction, trace: str, reply: Reply) -> None:
        """What somebody else was answered who asked for us counts by the very same rules. Needs the patient's lock."""
        question = await self._one(tx.connection, trace)
        await self._end(tx, trace, self._judged(question, reply, tx.now))

    async def on_engine_awaited(self, tx: Transaction, timer: Timer) -> None:
        """No engine has answered in time: a person has to see to it. Harmless where one has."""
        patient_id = timer.payload["patient_id"]
        await insured.lock_patient(tx.connection, patient_id)
        if await store.question_is_open(tx.connection, timer.key):
            await self._end(tx, timer.key, Asking(_for_person("engine_silent"), tx.now))

    async def _one(self, connection: Connection, trace: str) -> Question:
        found = await self.decided(connection, [trace])
        if not found:
            raise LookupError("a question without its verification or its payer")
        return found[0]

    def _written(self, one: Decided, payer: Payer) -> bytes | None:
        try:
            return write(one.asked, payer, self._clinic, control_number=one.control_number, at=one.decided_at)
        except CannotAsk:
            return None

    def _judged(self, question: Question, reply: Reply, asked_at: datetime) -> Asking:
        payer = question.payer
        self._metrics.replied(payer.id, reply)
        finding = judge(reply, question.decided.asked, payer.name, self._catalogue.offer(payer.id))
        return Asking(finding, asked_at, question.sent, reply.payload)

    async def _end(self, tx: Transaction, trace: str, asking: Asking) -> None:
        """Keep what came of a question, and conclude if it is still the one that counts. Needs the patient's lock."""
        finding = asking.finding
        result = finding.cause.code if finding.outcome is Outcome.UNDETERMINED and finding.cause else finding.outcome
        ended = store.Ended(asking.asked_at, tx.now, asking.sent, asking.answer, result)
        found = await store.end_question(tx.connection, trace, ended)
        if found is None:
            return
        one, number = found
        if one.state is not State.ASKING or number != one.questions:
            return  # a late answer: kept as evidence, and of no further effect
        step = await conclude(tx, one, finding, self._clinic)
        self._metrics.stepped(one, finding, step, tx.now)


def _for_person(code: str) -> Finding:
    return Finding(Outcome.UNDETERMINED, Next.PERSON, causes.cause(code))
