"""Card and person compared: what coverage to tell billing, and where the two contradict each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from contracts.ids import CoverageId
from contracts.intake import CardField, CardOutcome, CoverageReported

SAME_PAYER: Final = 60.0
"""Of 100, by shared words: a card and a person rarely write a payer's name alike."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the person wrote in the form about their insurance."""

    payer: str | None = None
    member_id: str | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """What was read from the card. Empty where it could not be read."""

    fields: tuple[CardField, ...] = ()

    def value(self, name: str) -> str | None:
        return next((field.value for field in self.fields if field.name == name), None)

    def confidence(self, name: str) -> float | None:
        return next((field.confidence for field in self.fields if field.name == name), None)

    @property
    def outcome(self) -> CardOutcome:
        return CardOutcome.READ if self.fields else CardOutcome.UNREADABLE


def contradicted(typed: Typed, printed: Printed) -> tuple[str, ...]:
    """Names of the fields in which both say something, and not the same."""
    member_id, payer = printed.value("member_id"), printed.value("payer")
    faults: list[str] = []
    if typed.payer and payer and not _same_payer(typed.payer, payer):
        faults.append("payer")
    if typed.member_id and member_id and _bare(typed.member_id) != _bare(member_id):
        faults.append("member_id")
    return tuple(faults)


def reported(id: CoverageId, typed: Typed, printed: Printed) -> CoverageReported | None:
    """The coverage to tell billing, or None where payer or member number is known from neither.

    What the person typed wins over the card; the card gives what they left out.
    """
    payer = typed.payer or printed.value("payer")
    member_id = typed.member_id or printed.value("member_id")
    if payer is None or member_id is None:
        return None
    return CoverageReported(
        coverage_id=id,
        payer=payer,
        member_id=member_id,
        group=printed.value("group"),
        holder=printed.value("holder"),
        source=_source(typed, printed),
        confidence=None if typed.member_id else printed.confidence("member_id"),
        contradicted=contradicted(typed, printed),
    )


def _source(typed: Typed, printed: Printed) -> str:
    wrote = typed.payer is not None or typed.member_id is not None
    shown = printed.value("payer") is not None or printed.value("member_id") is not None
    if wrote and shown:
        return "typed_and_card"
    return "typed" if wrote else "card"


def _bare(member_id: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", member_id.upper())


def _same_payer(one: str, other: str) -> bool:
    if fuzz.token_set_ratio(one.lower(), other.lower()) >= SAME_PAYER:
        return True
    return any(short and short in _initials(long) for short, long in ((_bare(one), other), (_bare(other), one)))


def _initials(name: str) -> str:
    return "".join(word[0] for word in re.findall(r"[A-Z0-9]+", name.upper()))
