"""What people of the billing staff do themselves: ask again, or correct what was wrong and ask again in one step."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from billing.benefits.order import Place
from billing.payers.directory import Directory
from billing.verification import insured, store
from billing.verification.handlers import Verifying
from billing.verification.insured import Coverage
from billing.verification.model import Reason, State, Verification
from billing.verification.names import split_name
from chassis.http import Actor
from chassis.transaction import Transaction
from contracts.ids import CoverageId


class NoSuchCoverage(LookupError):
    """No coverage has this id."""


class NoSuchPayer(ValueError):
    """No payer that can be asked has this id."""


class NotAName(ValueError):
    """A name of which no first and last name can be made."""


class AnsweredToday(ValueError):
    """The payer has answered this question today. Asking again costs; it has to be wanted."""


class NothingChanged(ValueError):
    """A correction that leaves everything as it was."""


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Corrections(BaseModel):
    """What was wrong; whatever is left out stays as it is."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"member_id": "W100000002", "birth_date": "1984-03-21"}]},
    )

    payer_id: Text | None = Field(None, max_length=80, description="One of GET /payers")
    member_id: Text | None = Field(None, max_length=80)
    name: Text | None = Field(None, max_length=200, description="The patient's, as the payer has it")
    birth_date: date | None = Field(None, ge=date(1900, 1, 1))
    holder: Annotated[str, StringConstraints(strip_whitespace=True)] | None = Field(
        None, max_length=200, description="In whose name the insurance is; empty for the patient's own"
    )


class ByHand:
    """Each of these is recorded with who did it and when."""

    def __init__(self, directory: Directory, verifying: Verifying) -> None:
        self._directory = directory
        self._verifying = verifying

    async def ask_again(self, tx: Transaction, coverage_id: str, actor: Actor, *, forced: bool = False) -> Verification:
        """Ask the payer once more, about the next visit's day. While a question is out, that one is it.

        Raises NoSuchCoverage; AnsweredToday where the payer has answered the same question today and `forced` is
        not set.
        """
        coverage = await self._locked(tx, coverage_id)
        last = (await store.last_verifications(tx.connection, [coverage.id])).get(coverage.id)
        if last is not None and last.state is State.ASKING:
            return last
        one = await self._verifying.begin(
            tx, coverage, Reason.FORCED if forced else Reason.BY_HAND, repeated=not forced
        )
        if one is None:
            raise AnsweredToday
        await store.note_change(tx.connection, tx.now, actor, coverage.id, "asked_again")
        return one

    async def correct(self, tx: Transaction, coverage_id: str, corrections: Corrections, actor: Actor) -> Verification:
        """Correct and ask again, in one step. Raises NoSuchCoverage, NoSuchPayer, NotAName or NothingChanged."""
        coverage = await self._locked(tx, coverage_id)
        if corrections.payer_id is not None and self._directory.get(corrections.payer_id) is None:
            raise NoSuchPayer
        if corrections.name is not None and ((name := split_name(corrections.name)) is None or name.first is None):
            raise NotAName
        corrected = _corrected(coverage, corrections)
        changed = await insured.save_coverage(tx.connection, corrected) is not None
        changed = await self._correct_person(tx, coverage.patient_id, corrections) or changed
        if not changed:
            raise NothingChanged
        fields = sorted(corrections.model_fields_set)
        await store.note_change(tx.connection, tx.now, actor, coverage.id, "corrected", fields)
        one = await self._verifying.begin(tx, corrected, Reason.CORRECTED)
        assert one is not None, "a corrected coverage is always asked about"
        return one

    async def order(self, tx: Transaction, coverage_id: str, place: Place | None, actor: Actor) -> Coverage:
        """Say which pays first; None takes that back. Raises NoSuchCoverage or NothingChanged."""
        coverage = await self._locked(tx, coverage_id)
        if not await insured.set_order(tx.connection, coverage, place):
            raise NothingChanged
        await store.note_change(tx.connection, tx.now, actor, coverage.id, "ordered", [place or "not_said"])
        return coverage

    async def _locked(self, tx: Transaction, coverage_id: str) -> Coverage:
        found = await insured.coverage(tx.connection, coverage_id)
        if found is None:
            raise NoSuchCoverage
        await insured.lock_patient(tx.connection, found.patient_id)
        return await insured.coverage(tx.connection, coverage_id) or found

    async def _correct_person(self, tx: Transaction, patient_id: str, corrections: Corrections) -> bool:
        return await insured.correct_patient(tx.connection, patient_id, corrections.name, corrections.birth_date)


def _corrected(coverage: Coverage, corrections: Corrections) -> Coverage:
    return replace(
        coverage,
        id=CoverageId(coverage.id),
        payer_id=corrections.payer_id or coverage.payer_id,
        payer_confidence=1.0 if corrections.payer_id else coverage.payer_confidence,
        member_id=corrections.member_id or coverage.member_id,
        holder=coverage.holder if corrections.holder is None else corrections.holder or None,
        confidence=None if corrections.member_id else coverage.confidence,
    )
