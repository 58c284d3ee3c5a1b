"""Asking again by itself: as a visit comes near, and when the month, a plan or its year has turned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from billing.clinic import Clinic
from billing.payers.directory import Directory
from billing.verification import insured, model
from billing.verification.handlers import Verifying
from billing.verification.insured import Coverage, Visit
from billing.verification.model import Reason, State, Verification
from billing.verification.planning import Planning
from chassis.timers import Timer
from chassis.transaction import Transaction

_OUT = timedelta(minutes=10)
"""Before a check that finds a question out comes back."""


class Checking:
    """What the timers of `Planning` do when they are due."""

    def __init__(self, clinic: Clinic, directory: Directory, verifying: Verifying) -> None:
        self._clinic = clinic
        self._planning = Planning(clinic, directory)
        self._verifying = verifying

    async def on_check_before_visit(self, tx: Transaction, timer: Timer) -> None:
        """The visit is near, or its month has begun: ask again what is not known for that day."""
        visit = await insured.visit(tx.connection, timer.key)
        if visit is None:
            return
        await insured.lock_patient(tx.connection, visit.patient_id)
        visits = await insured.visits_ahead(tx.connection, visit.patient_id, tx.now)
        earliest = tx.now
        if visits and visits[0].appointment_id == visit.appointment_id:
            for coverage, payer, last in await self._planning.asked_before(tx, visit.patient_id):
                due = model.visit_check_at(visit.starts_at, tx.now, payer, self._clinic, last)
                if due is not None and due <= tx.now:
                    earliest = max(earliest, await self._check(tx, coverage, last, Reason.VISIT, visits))
        await self._planning.plan(tx, visit.patient_id, visits, not_before=earliest)

    async def on_check_at_turn(self, tx: Transaction, timer: Timer) -> None:
        """The month, a plan or its year has turned: what was known of somebody in care is asked anew, visit or none."""
        await insured.lock_patient(tx.connection, timer.key)
        visits = await insured.visits_ahead(tx.connection, timer.key, tx.now - model.IN_CARE)
        if not visits:
            return
        visits = [visit for visit in visits if visit.starts_at >= tx.now]
        earliest = tx.now
        for coverage, _, last in await self._planning.asked_before(tx, timer.key):
            if model.turn_check_at(last, self._clinic) <= tx.now:
                earliest = max(earliest, await self._check(tx, coverage, last, Reason.TURN, visits))
        await self._planning.plan(tx, timer.key, visits, not_before=earliest)

    async def _check(
        self, tx: Transaction, coverage: Coverage, last: Verification, reason: Reason, visits: Sequence[Visit]
    ) -> datetime:
        """Ask again by itself, unless a question is out. Returns from when on it may have to be asked about anew."""
        if last.state is State.ASKING:
            return tx.now + _OUT
        if await self._verifying.begin(tx, coverage, reason, visits, repeated=True) is None:
            return self._clinic.day_began(tx.now) + timedelta(days=1)
        return tx.now
