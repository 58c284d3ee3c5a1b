"""A plan's benefits as the EB loops of one member's answer (X12 005010X279A1, 2110C and 2110D)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from sandbox.payer.catalogue import Benefit, Entity, Plan
from sandbox.payer.judgement import Covered
from sandbox.payer.x12 import Separators

PLAN_COVERAGE = "30"
ACTIVE, INACTIVE = "1", "6"

Elements = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a plan a member has used, and what is left of their visits where the scenario says so."""

    share: Decimal
    visits_left: int | None

    @classmethod
    def of(cls, covered: Covered) -> Use:
        """Drawn from the member number, so that the same member is always told the same."""
        return cls(Decimal(zlib.crc32(covered.member.member_id.encode()) % 101) / 100, covered.visits_left)


def loops(covered: Covered, asked_types: Sequence[str], separators: Separators) -> Sequence[Elements]:
    """The EB segments, each followed by its message and its 2120 loop.

    A question for plan coverage (30) gets all that the plan says; one for named service types gets the plan's
    own benefits and those of the types asked.
    """
    if not covered.active:
        return (_eb(kind=INACTIVE, types=PLAN_COVERAGE, plan=separators.clean(covered.plan.name)),)
    return _active(covered.plan, Use.of(covered), tuple(asked_types), separators)


@lru_cache(maxsize=1024)
def _active(plan: Plan, use: Use, asked: tuple[str, ...], separators: Separators) -> Sequence[Elements]:
    return tuple(_said(plan, use, asked, separators))


def _said(plan: Plan, use: Use, asked: tuple[str, ...], separators: Separators) -> Iterator[Elements]:
    for benefit in plan.benefits:
        if _answers(benefit, asked):
            yield _benefit(benefit, plan, use, separators)
            if benefit.message:
                yield ("MSG", separators.clean(benefit.message))
            if benefit.entity:
                yield from _entity(benefit.entity, separators)


def _answers(benefit: Benefit, asked: Sequence[str]) -> bool:
    wanted = {*asked, PLAN_COVERAGE}
    return not asked or PLAN_COVERAGE in asked or bool(wanted.intersection(benefit.types))


def _benefit(benefit: Benefit, plan: Plan, use: Use, separators: Separators) -> Elements:
    left = remaining(benefit, plan, use)
    counted_in_visits = bool(benefit.quantity_unit)
    return _eb(
        kind=benefit.kind,
        level=benefit.level,
        types=separators.repetition.join(benefit.types),
        insurance=benefit.insurance,
        plan=separators.clean(plan.name) if benefit.plan else "",
        period=benefit.period,
        amount=_number(benefit.amount if counted_in_visits or left is None else left),
        percent=_number(benefit.percent),
        quantity_unit=benefit.quantity_unit,
        quantity=_number(left if counted_in_visits and left is not None else benefit.quantity),
        authorization=benefit.authorization,
        network=benefit.network,
    )


def _eb(
    *,
    kind: str,
    types: str,
    level: str = "",
    insurance: str = "",
    plan: str = "",
    period: str = "",
    amount: str = "",
    percent: str = "",
    quantity_unit: str = "",
    quantity: str = "",
    authorization: str = "",
    network: str = "",
) -> Elements:
    described = (kind, level, types, insurance, plan, period)
    return ("EB", *described, amount, percent, quantity_unit, quantity, authorization, network)


def remaining(benefit: Benefit, plan: Plan, use: Use) -> Decimal | None:
    """What is still left of what the benefit counts; None if it counts nothing."""
    match benefit.counts:
        case "deductible":
            return _cents(plan.deductible * (1 - use.share))
        case "out_of_pocket":
            # All that was paid towards the deductible counts towards it too.
            return _cents(plan.out_of_pocket - plan.deductible * use.share)
        case "visits" if use.visits_left is not None:
            return Decimal(use.visits_left)
        case "visits":
            return (plan.visits * (1 - use.share)).quantize(Decimal(1), ROUND_HALF_UP)
        case None:
            return None


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _entity(entity: Entity, separators: Separators) -> Iterator[Elements]:
    yield ("LS", "2120")
    yield ("NM1", entity.role, "2", separators.clean(entity.name), "", "", "", "", "PI", entity.id)
    yield ("PER", "IC", "", "TE", entity.telephone)
    yield ("LE", "2120")
