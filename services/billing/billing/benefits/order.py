"""Which of a patient's insurances pays first. Pure.

The rules, in order (X12 005010X279A1, EB; examples are EB segments with their loop 2120):

1. A person's word, given by hand, before any other.
2. The payer's word about itself. Medicare says with EB04 that it pays second (12 to 16, 41 to 43, 47:
   `EB*1**30*12`) or first (MP). A plan names the payer before it (`EB*R**30*MB`, `NM1*PRP*2*MEDICARE PART B`) or after
   it (NM1*SEP, NM1*TTP). A further payer whose role is not said (`EB*R**30`) decides nothing; W names another source,
   not another payer.
3. Of the rest, the one that was reported last is primary, unless another is primary already; those before it come
   second. What is not active pays nothing, and has no order.
4. Two that are both primary by their payers' word have none: somebody has to phone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from billing.x12.records import Benefit

Place = Literal["primary", "secondary"]
Pays = Literal["first", "after", "unknown"]

_MEDICARE_SECOND = frozenset({"12", "13", "14", "15", "16", "41", "42", "43", "47"})
_MEDICARE_FIRST = "MP"
_ROLES: dict[str | None, Pays] = {"PRP": "first", "SEP": "after", "TTP": "after"}


@dataclass(frozen=True, slots=True)
class OtherPayer:
    """A payer beside the one that answers, and when it pays; a nameless one is what Medicare's own codes tell of."""

    name: str | None
    pays: Pays
    evidence: tuple[int, ...]


def other_payers(benefits: Sequence[Benefit]) -> tuple[OtherPayer, ...]:
    """The further payers that an answer speaks of, in its order."""
    return tuple(found for benefit in benefits for found in _others(benefit))


def _others(benefit: Benefit) -> Iterable[OtherPayer]:
    if benefit.kind == "R":
        named = [
            OtherPayer(entity.name, _ROLES.get(entity.role, "unknown"), (benefit.position,))
            for entity in benefit.entities
        ]
        yield from named or [OtherPayer(None, "unknown", (benefit.position,))]
    elif benefit.insurance_type in _MEDICARE_SECOND:
        yield OtherPayer(None, "first", (benefit.position,))
    elif benefit.insurance_type == _MEDICARE_FIRST:
        yield OtherPayer(None, "after", (benefit.position,))


def payers_word(others: Iterable[OtherPayer]) -> Place | None:
    """What the answering payer says of itself; None where it says nothing, or both."""
    said = {one.pays for one in others} - {"unknown"}
    if said == {"first"}:
        return "secondary"
    return "primary" if said == {"after"} else None


@dataclass(frozen=True, slots=True)
class Insurance:
    """What decides about the order of one coverage. `active` None is not known."""

    coverage_id: str
    reported_at: datetime
    active: bool | None
    by_hand: Place | None = None
    others: tuple[OtherPayer, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """Where a coverage stands, who says so and why."""

    place: Literal["primary", "secondary", "unknown"]
    decided_by: Literal["person", "payer", "newest", "nobody"]
    reason: str
    evidence: tuple[int, ...] = ()


def decide(insurances: Sequence[Insurance]) -> dict[str, Order]:
    """The order of each of a patient's coverages, by its id."""
    found = {one.coverage_id: _alone(one) for one in insurances}
    _refuse_two_primaries(found)
    open_ones = [one for one in insurances if found[one.coverage_id] is None]
    taken = any(order is not None and order.place == "primary" for order in found.values())
    for one in sorted(open_ones, key=lambda one: (one.reported_at, one.coverage_id), reverse=True):
        found[one.coverage_id] = _SECOND if taken else _NEWEST
        taken = True
    return {id: order for id, order in found.items() if order is not None}


_NEWEST = Order("primary", "newest", "It was reported last, and nobody says otherwise.")
_SECOND = Order("secondary", "newest", "Another insurance is primary.")
_BOTH_FIRST = "Two payers both say that they pay first. Phone them."
_NONE = Order("unknown", "nobody", "It is not active, and pays nothing.")


def _alone(one: Insurance) -> Order | None:
    if one.by_hand is not None:
        return Order(one.by_hand, "person", "Somebody of the clinic has said so.")
    if one.active is False:
        return _NONE
    word = payers_word(one.others)
    if word is None:
        return None
    evidence = tuple(position for other in one.others for position in other.evidence)
    names = ", ".join(other.name for other in one.others if other.name)
    if word == "primary":
        return Order("primary", "payer", f"The payer says that it pays before {names or 'another payer'}.", evidence)
    return Order("secondary", "payer", f"The payer says that {names or 'another payer'} pays first.", evidence)


def _refuse_two_primaries(found: dict[str, Order | None]) -> None:
    """A person's word wins over a payer's; two payers' words cancel each other."""
    primary = [id for id, order in found.items() if order is not None and order.place == "primary"]
    by_person = [id for id in primary if (order := found[id]) is not None and order.decided_by == "person"]
    if len(primary) < 2:
        return
    for id in primary:
        order = found[id]
        if by_person and id not in by_person:
            found[id] = _SECOND
        elif not by_person and order is not None:
            found[id] = Order(
                "unknown", "nobody", "Two payers both say that they pay first. Phone them.", order.evidence
            )
