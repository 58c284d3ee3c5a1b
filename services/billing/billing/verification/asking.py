"""Asking a payer: the call outside of any transaction, and what becomes of its answer inside one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from billing.benefits.services import Catalogue
from billing.clinic import Clinic
from billing.payers.directory import Directory
from billing.payers.gateway import Reply, Transport
from billing.verification import causes, store
from billing.verification.answer import Finding, Next, Outcome, judge
from billing.verification.concluding import conclude
from billing.verification.metrics import VerificationMetrics
from billing.verification.model import State
from billing.verification.question import CannotAsk, write
from chassis.database import Database
from chassis.outside import OutsideTask
from chassis.timers import Timer
from chassis.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Asking:
    """What came of one question. `sent` is the 270; None where it could not be written."""

    finding: Finding
    asked_at: datetime
    sent: bytes | None
    answer: bytes | None


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

    async def call(self, task: OutsideTask) -> Asking:
        """Write the question, ask it, and judge the answer. A repeat after a crash carries the same numbers."""
        async with self._database.connection() as connection:
            decided = await store.decided_question(connection, task.purpose)
        payer = self._directory.get(decided.payer_id) if decided else None
        if decided is None or payer is None:
            raise LookupError("a question without its verification or its payer")
        asked_at = self._now()
        try:
            question = write(
                decided.asked, payer, self._clinic, control_number=decided.control_number, at=decided.decided_at
            )
        except CannotAsk:
            return Asking(_for_person("cannot_ask"), asked_at, None, None)
        with self._metrics.asking(payer.id):
            reply = await self._transport.ask(payer, str(task.id), question)
        self._metrics.replied(payer.id, reply)
        finding = judge(reply, decided.asked, payer.name, self._catalogue.offer(payer.id))
        return Asking(finding, asked_at, question, reply.payload)

    async def answered(self, tx: Transaction, task: OutsideTask, asking: Asking) -> None:
        """Keep the evidence; conclude if this is still the question that counts."""
        await self._end(tx, task.purpose, task.subject, asking)

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause_code: str) -> None:
        """We could not even ask: our own fault, and never the patient's."""
        await self._end(tx, task.purpose, task.subject, Asking(_for_person("internal"), tx.now, None, None))

    async def replied(self, tx: Transaction, trace: str, patient_id: str, reply: Reply) -> None:
        """What somebody else was answered who asked for us counts by the very same rules."""
        decided = await store.decided_question(tx.connection, trace)
        payer = self._directory.get(decided.payer_id) if decided else None
        if decided is None or payer is None:
            raise LookupError("a question without its verification or its payer")
        self._metrics.replied(payer.id, reply)
        question = write(
            decided.asked, payer, self._clinic, control_number=decided.control_number, at=decided.decided_at
        )
        finding = judge(reply, decided.asked, payer.name, self._catalogue.offer(payer.id))
        await self._end(tx, trace, patient_id, Asking(finding, tx.now, question, reply.payload))

    async def on_engine_awaited(self, tx: Transaction, timer: Timer) -> None:
        """No engine has answered in time: a person has to see to it. Harmless where one has."""
        patient_id = timer.payload["patient_id"]
        await store.lock_patient(tx.connection, patient_id)
        if await store.question_is_open(tx.connection, timer.key):
            await self._end(tx, timer.key, patient_id, Asking(_for_person("engine_silent"), tx.now, None, None))

    async def _end(self, tx: Transaction, trace: str, patient_id: str | None, asking: Asking) -> None:
        await store.lock_patient(tx.connection, patient_id or "")
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
