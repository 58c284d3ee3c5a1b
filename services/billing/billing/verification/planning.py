"""When each coverage is looked at again by itself, as timers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.clinic import Clinic
from billing.payers.directory import Directory, Payer
from billing.verification import insured, model, store
from billing.verification.concluding import CHECK_AT_TURN
from billing.verification.insured import Coverage, Visit
from billing.verification.model import Verification
from chassis.transaction import Transaction

CHECK_BEFORE_VISIT = "check_before_visit"


class Planning:
    """Sets the timers of a patient's coverages. Needs the patient's lock."""

    def __init__(self, clinic: Clinic, directory: Directory) -> None:
        self._clinic = clinic
        self._directory = directory

    async def plan(
        self,
        tx: Transaction,
        patient_id: str,
        visits: Sequence[Visit] | None = None,
        not_before: datetime | None = None,
    ) -> None:
        """One timer for each visit ahead, the earliest of what the patient's coverages need, and one for what turns.

        Questions are about the next visit, so that a later one is not looked at before the one before it has begun.
        """
        asked = await self.asked_before(tx, patient_id)
        if not asked:
            return
        if visits is None:
            visits = await insured.visits_ahead(tx.connection, patient_id, tx.now)
        first = earliest = not_before or tx.now
        for visit in visits:
            checks = [
                max(due, earliest)
                for _, payer, last in asked
                if (due := model.visit_check_at(visit.starts_at, tx.now, payer, self._clinic, last)) is not None
            ]
            if checks:  # else one that was planned before finds nothing to do
                await tx.set_timer(CHECK_BEFORE_VISIT, visit.appointment_id, min(checks))
            earliest = max(earliest, visit.starts_at)
        turns = min(model.turn_check_at(last, self._clinic) for _, _, last in asked)
        await tx.set_timer(CHECK_AT_TURN, patient_id, max(turns, first))

    async def asked_before(self, tx: Transaction, patient_id: str) -> list[tuple[Coverage, Payer, Verification]]:
        """The patient's coverages with a payer, each with the last that was asked about it."""
        return [
            (coverage, payer, last)
            for coverage, last in await store.coverages_with_last(tx.connection, patient_id)
            if last and coverage.payer_id and (payer := self._directory.get(coverage.payer_id))
        ]
