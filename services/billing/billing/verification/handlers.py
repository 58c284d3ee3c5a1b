"""What billing does when insurance is reported, a visit is booked, and it is time to ask again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from uuid_utils import uuid7

from billing.clinic import Clinic
from billing.engines.store import for_engine
from billing.payers.directory import Directory, Payer
from billing.verification import causes, insured, store
from billing.verification.answer import Finding, Next, Outcome
from billing.verification.concluding import CHANGED, conclude
from billing.verification.insured import Coverage, Visit
from billing.verification.model import Reason, State, Verification
from billing.verification.planning import Planning
from billing.verification.question import service_date
from chassis.timers import Timer
from chassis.transaction import Transaction
from contracts.billing import VerificationRequested
from contracts.envelope import Envelope
from contracts.ids import new_verification_id
from contracts.intake import CoverageReported, PatientRegistered
from contracts.scheduling import AppointmentBooked, AppointmentRescheduled

VISIT_AWAITED = "visit_awaited"
ENGINE_AWAITED = "engine_awaited"


def destination(payer_id: str) -> str:
    """Each payer is an outside of its own, so that one that hangs holds up no other."""
    return f"payer:{payer_id}"


class Verifying:
    """Every coverage is asked about, as of the right day, until it is known or with a person."""

    def __init__(self, clinic: Clinic, directory: Directory) -> None:
        self._clinic = clinic
        self._directory = directory
        self._planning = Planning(clinic, directory)

    async def on_registered(self, tx: Transaction, event: PatientRegistered, envelope: Envelope) -> None:
        await insured.save_patient(tx.connection, envelope.subject, event.name, event.birth_date)

    async def on_reported(self, tx: Transaction, event: CoverageReported, envelope: Envelope) -> None:
        """Somebody says how they are insured: ask the payer, for the day of their visit if there is one."""
        await insured.lock_patient(tx.connection, envelope.subject)
        recognised = self._directory.recognise(event.payer)
        coverage = Coverage(
            id=event.coverage_id,
            patient_id=envelope.subject,
            payer_stated=event.payer,
            payer_id=recognised.payer.id if recognised.payer else None,
            payer_confidence=recognised.confidence,
            member_id=event.member_id,
            group_number=event.group,
            holder=event.holder,
            source=event.source,
            confidence=event.confidence,
            reported_at=tx.now,
        )
        new = await insured.save_coverage(tx.connection, coverage)
        if new is None or (not new and await self._is_out(tx, coverage)):
            return
        visits = await insured.visits_ahead(tx.connection, envelope.subject, tx.now)
        if recognised.payer is not None and not visits:
            # The visit is about to be booked: asking once, about its day, spares a question.
            await tx.set_timer(VISIT_AWAITED, coverage.id, tx.now + self._clinic.visit_awaited)
        else:
            await self.begin(tx, coverage, Reason.REPORTED, visits, repeated=not new)
            await self._planning.plan(tx, envelope.subject, visits)

    async def on_visit_awaited(self, tx: Transaction, timer: Timer) -> None:
        """No visit was booked for so long: ask about today."""
        if (coverage := await insured.coverage(tx.connection, timer.key)) is not None:
            await insured.lock_patient(tx.connection, coverage.patient_id)
            await self._begin_new(tx, coverage.patient_id)

    async def on_booked(
        self, tx: Transaction, event: AppointmentBooked | AppointmentRescheduled, envelope: Envelope
    ) -> None:
        """A visit has a day: ask what waited for it, and see to it that coverage is known shortly before."""
        await insured.lock_patient(tx.connection, envelope.subject)
        if not await insured.save_visit(
            tx.connection, envelope.subject, event.appointment_id, event.version, event.starts_at
        ):
            return
        if await self._begin_new(tx, envelope.subject):
            await self._planning.plan(tx, envelope.subject)

    async def on_ask_again(self, tx: Transaction, timer: Timer) -> None:
        """A payer that could not answer may be able to now."""
        one = await store.verification(tx.connection, timer.key)
        if one is None:
            return
        await insured.lock_patient(tx.connection, one.patient_id)
        one = await store.verification(tx.connection, timer.key)
        if one is None or one.state is not State.WAITING:
            return
        if one.cause_code == "payer_will_answer":
            waited = Finding(Outcome.UNDETERMINED, Next.PERSON, causes.cause("payer_will_answer"))
            await conclude(tx, one, waited, self._clinic)
        else:
            await self._ask(tx, one)

    async def begin(
        self,
        tx: Transaction,
        coverage: Coverage,
        reason: Reason,
        visits: Sequence[Visit] | None = None,
        *,
        repeated: bool = False,
    ) -> Verification | None:
        """Open a verification and ask; None where that would repeat what the payer has answered about that day today.

        Needs the patient's lock. What no payer can be asked goes to a person at once. `visits` are those ahead, where
        the caller knows them. `repeated`: nothing is new about this coverage since it was asked about last.
        """
        payer = self._directory.get(coverage.payer_id) if coverage.payer_id else None
        if visits is None:
            visits = await insured.visits_ahead(tx.connection, coverage.patient_id, tx.now, 1)
        one = self._verification(coverage, payer, visits[0].starts_at if visits else None, reason, tx.now)
        if repeated and await store.answered_on(
            tx.connection, coverage.id, one.service_date, self._clinic.day_began(tx.now)
        ):
            return None
        if payer is None or not coverage.member_id.strip():
            await store.open_verification(tx.connection, one)
            cause = causes.cause("payer_unknown" if payer is None else "member_number_missing")
            await conclude(tx, one, Finding(Outcome.UNDETERMINED, Next.PERSON, cause), self._clinic)
            return one
        tx.emit(
            VerificationRequested(
                verification_id=one.id,
                coverage_id=one.coverage_id,
                payer_id=payer.id,
                payer=payer.name,
                service_types=one.service_types,
                service_date=one.service_date,
            ),
            subject=one.patient_id,
        )
        await self._ask(tx, one, new=True)
        return one

    async def inquire(
        self, tx: Transaction, coverage: Coverage, on: date, service_types: tuple[str, ...]
    ) -> Verification:
        """Ask for a program, about somebody who is no patient here. Needs the lock; nothing is said on the streams."""
        payer = self._directory.get(coverage.payer_id or "")
        assert payer is not None, "the payer is known before a program's question is taken"
        one = self._verification(coverage, payer, None, Reason.ASKED, tx.now)
        one = replace(one, service_date=on, service_types=service_types)
        await self._ask(tx, one, new=True)
        return one

    async def _begin_new(self, tx: Transaction, patient_id: str) -> bool:
        """Ask about the coverages that waited for a visit. Returns False where the patient has none at all."""
        coverages = await store.coverages_with_last(tx.connection, patient_id)
        for coverage, last in coverages:
            if coverage.payer_id and last is None:
                await tx.cancel_timer(VISIT_AWAITED, coverage.id)
                await self.begin(tx, coverage, Reason.REPORTED)
        return bool(coverages)

    async def _is_out(self, tx: Transaction, coverage: Coverage) -> bool:
        """Whether a question about it has been asked and not been answered yet."""
        last = (await store.last_verifications(tx.connection, [coverage.id])).get(coverage.id)
        return last is not None and last.state is State.ASKING

    def _verification(
        self, coverage: Coverage, payer: Payer | None, visit: datetime | None, reason: Reason, now: datetime
    ) -> Verification:
        today = self._clinic.local(now).date()
        visit_day = self._clinic.local(visit).date() if visit else None
        return Verification(
            id=new_verification_id(),
            coverage_id=coverage.id,
            patient_id=coverage.patient_id,
            payer_id=coverage.payer_id,
            payer=payer.name if payer else coverage.payer_stated,
            service_date=service_date(payer, today, visit_day) if payer else visit_day or today,
            service_types=payer.asks if payer else (),
            reason=reason,
            state=State.ASKING,
            requested_at=now,
        )

    async def _ask(self, tx: Transaction, one: Verification, *, new: bool = False) -> None:
        """Decide to ask now, or once the payer's system is back from its weekly pause. A new one is opened by that."""
        payer = self._directory.get(one.payer_id or "")
        opens = payer.opens_at(tx.now) if payer else None
        if payer is not None and opens is not None and one.reason is not Reason.FORCED:
            closed = causes.cause("payer_closed", payer.name)
            if new:
                await store.open_verification(tx.connection, one)
            waits = Finding(Outcome.UNDETERMINED, Next.ASK_AGAIN, closed, after=opens - tx.now)
            await conclude(tx, one, waits, self._clinic)
            return
        trace = uuid7().hex.upper()  # X12 knows capitals only
        if new:
            await store.open_verification(tx.connection, one, trace)
        else:
            await store.decide_question(tx.connection, one, trace, tx.now)
        tx.wake(CHANGED)
        if payer is not None and payer.answered_by == "engine":
            await for_engine(tx.connection, trace, payer.id)
            await tx.set_timer(ENGINE_AWAITED, trace, tx.now + payer.engine_patience, {"patient_id": one.patient_id})
            return
        await tx.ask_outside(destination(one.payer_id or ""), trace, {"trace": trace}, subject=one.patient_id)
