"""The correction form as it stands on the page: what is in its fields, what is wrong, and where to begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from billing.payers.directory import Directory, Payer
from billing.worklist.case import Case
from billing.worklist.correcting import Faults, Typed, as_it_stands, may_be_meant
from billing.worklist.wording import WORDING, Field


@dataclass(frozen=True, slots=True)
class CorrectionForm:
    """`seen` is the mark of the facts that it was made from; `choices` are payers that may be meant."""

    typed: Typed
    seen: str
    begin_at: Field | None = None
    """None where nothing is known to be wrong: then asking again is at hand."""
    choices: tuple[Payer, ...] = ()
    messages: Mapping[Field, str] = field(default_factory=dict[Field, str])
    notice: str | None = None


def fresh(case: Case, directory: Directory) -> CorrectionForm:
    """The form before anything is typed, begun at the field that the cause is about."""
    cause = case.verification.cause_code if case.verification else None
    needs_person = case.verification is not None and case.verification.to_do is not None
    unclear = case.coverage.payer_id is None
    return CorrectionForm(
        typed=as_it_stands(case.coverage, case.person, directory),
        seen=case.seen,
        begin_at=WORDING.at_fault.get(cause or "") if needs_person else None,
        choices=may_be_meant(directory, case.coverage.payer_stated) if unclear else (),
    )


def again(case: Case, typed: Typed, faults: Faults | None, notice: str | None) -> CorrectionForm:
    """The form as it was sent, with what is wrong beside each field."""
    messages = faults.messages if faults else {}
    return CorrectionForm(
        typed=replace(typed, payer_before=typed.payer),
        seen=case.seen,
        begin_at=next((one for one in Field if one in messages), Field.MEMBER_ID),
        choices=faults.nearest if faults else (),
        messages=messages,
        notice=notice,
    )
