"""An answer as staff read it: each figure with the segments it rests on, and the answer one segment a line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from billing.benefits.shown import CostShown, FigureShown, ServiceShown
from billing.payers.gateway import Reply
from billing.verification.answer import Finding, judge
from billing.verification.benefits import ServiceBenefit, Stated
from billing.verification.concluding import said
from billing.verification.question import Asked
from billing.worklist.wording import WORDING
from billing.x12 import codes, read, segments
from billing.x12.records import Benefit as Stating
from billing.x12.records import File
from chassis.pages import clause
from contracts.billing import Benefit
from contracts.money import Money

T = TypeVar("T")

LINES_SHOWN: Final = 1_000
"""Of a longer answer the first ones are shown, and all that a figure rests on."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure in words. `known` is False where the payer did not say, or said two things."""

    words: str
    known: bool
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """What the plan states for one kind of service. What is left of a sum stands beside the whole of it."""

    service: str
    covered: Figure
    copay: Figure
    coinsurance: Figure
    deductible: Figure
    deductible_remaining: Figure
    out_of_pocket: Figure
    out_of_pocket_remaining: Figure
    authorization: Figure


@dataclass(frozen=True, slots=True)
class VisitFigures:
    """What the plan states for one kind of visit to this clinic, and what such a visit costs the patient."""

    name: str
    covered: Figure
    copay: Figure
    coinsurance: Figure
    visits_remaining: Figure
    authorization: Figure
    administered_by: str | None
    cost: Figure
    how: tuple[str, ...]
    full_price: str


@dataclass(frozen=True, slots=True)
class Line:
    """One segment of an answer, and what it says in words."""

    position: int
    segment: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer comes to when it is read again, and the answer itself."""

    finding: Finding
    lines: tuple[Line, ...]
    left_out: int


def evidence(answer: bytes, asked: Asked, payer: str, also: Iterable[VisitFigures] = ()) -> Evidence:
    """Read an answer again, as it was read when it came. What the figures `also` rest on is shown in any case."""
    finding = judge(Reply(answer), asked, payer)
    file, found = read(answer), segments(answer)
    needed = set(finding.evidence).union(*(_positions(benefit) for benefit in finding.benefits))
    needed.update(position for visit in also for position in (*visit.cost.evidence, *visit.covered.evidence))
    meanings = _meanings(file)
    lines = tuple(
        Line(position, segment, meanings.get(position) or WORDING.segments.get(_tag(segment), ""))
        for position, segment in enumerate(found, 1)
        if position <= LINES_SHOWN or position in needed
    )
    return Evidence(finding, lines, len(found) - len(lines))


def figures(benefits: Sequence[Benefit], finding: Finding | None) -> list[ServiceFigures]:
    """The figures as they were kept, each with its evidence where reading the answer again gives the same."""
    again = {benefit.service_type: benefit for benefit in finding.benefits} if finding else {}
    return [_figures(kept, again.get(kept.service_type)) for kept in benefits]


def _figures(kept: Benefit, again: ServiceBenefit | None) -> ServiceFigures:
    same = again if again is not None and said(again) == kept else None

    def figure(name: str, words: str | None) -> Figure:
        stated: Stated[Any] = getattr(same, name) if same else Stated()
        if words is not None:
            return Figure(words, True, stated.evidence)
        why = "segments differ" if stated.in_conflict else "the payer did not say"
        return Figure(f"unknown: {why}", False, stated.evidence)

    return ServiceFigures(
        service=WORDING.service(kept.service_type),
        covered=figure("covered", _yes_no(kept.covered, "covered", "not covered")),
        copay=figure("copay", _money(kept.copay)),
        coinsurance=figure("coinsurance", _share(kept.coinsurance)),
        deductible=figure("deductible", _money(kept.deductible)),
        deductible_remaining=figure("deductible_remaining", _money(kept.deductible_remaining)),
        out_of_pocket=figure("out_of_pocket", _money(kept.out_of_pocket)),
        out_of_pocket_remaining=figure("out_of_pocket_remaining", _money(kept.out_of_pocket_remaining)),
        authorization=figure("authorization_required", _yes_no(kept.authorization_required, "needed", "not needed")),
    )


def visits(services: Sequence[ServiceShown]) -> list[VisitFigures]:
    """The clinic's own services, as they were worked out when the answer came."""
    return [
        VisitFigures(
            name=one.name,
            covered=_shown(one.covered, lambda covered: "covered" if covered else "not covered"),
            copay=_shown(one.copay, str),
            coinsurance=_shown(one.coinsurance, _percent),
            visits_remaining=_shown(one.visits_remaining, str),
            authorization=_shown(one.authorization_required, lambda needed: "needed" if needed else "not needed"),
            administered_by=one.administered_by.value,
            cost=_cost(one.cost),
            how=tuple(one.cost.how),
            full_price=_range(one.cost.full_price_low, one.cost.full_price_high),
        )
        for one in services
    ]


def _shown(figure: FigureShown[T], words: Callable[[T], str]) -> Figure:
    at = tuple(one.position for one in figure.segments)
    if figure.value is not None:
        return Figure(words(figure.value), True, at)
    if figure.in_conflict:
        said = " or ".join(dict.fromkeys(words(value) for value in figure.said))
        return Figure(f"unknown: segments differ{f', {said}' if said else ''}", False, at)
    return Figure("unknown: the payer did not say", False, at)


def _cost(cost: CostShown) -> Figure:
    at = tuple(dict.fromkeys(one.position for one in cost.segments))
    if cost.low is None or cost.high is None:
        because = cost.unknown_because or "The payer did not say enough."
        return Figure(f"unknown: {clause(because).removesuffix('.')}", False, at)
    return Figure(_range(cost.low, cost.high), True, at)


def _range(low: Money, high: Money) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _yes_no(answer: bool | None, yes: str, no: str) -> str | None:
    return None if answer is None else yes if answer else no


def _money(money: Money | None) -> str | None:
    return None if money is None else str(money)


def _share(share: str | None) -> str | None:
    return None if share is None else _percent(share)


def _percent(share: str) -> str:
    return f"{(Decimal(share) * 100).normalize():f} %"


def _positions(benefit: ServiceBenefit) -> set[int]:
    stated = (
        benefit.covered,
        benefit.copay,
        benefit.coinsurance,
        benefit.deductible,
        benefit.deductible_remaining,
        benefit.out_of_pocket,
        benefit.out_of_pocket_remaining,
        benefit.authorization_required,
    )
    return {position for one in stated for position in one.evidence}


def _tag(segment: str) -> str:
    """`EB*1*…` → `EB`."""
    return segment[: next((at for at, sign in enumerate(segment) if not sign.isalnum()), len(segment))]


def _meanings(file: File) -> dict[int, str]:
    """What benefits and refusals say, by position."""
    coverages = [
        coverage
        for interchange in file.interchanges
        for transaction in interchange.transactions
        for coverage in transaction.coverages
    ]
    meanings = {benefit.position: _benefit(benefit) for coverage in coverages for benefit in coverage.benefits}
    for coverage in coverages:
        for rejection in coverage.rejections:
            meanings[rejection.position] = rejection.meaning or f"Refused: reason {rejection.code}"
    return meanings


def _benefit(one: Stating) -> str:
    """`Copayment, individual, visit: $25.00, in network; mental health`."""
    kind = codes.BENEFIT_KINDS.get(one.kind) or f"Benefit {one.kind}"
    limits = _meant((one.level, codes.COVERAGE_LEVELS), (one.period, codes.PERIODS))
    amounts = [
        _dollars(one.amount),
        _percentage(one.percent),
        f"{one.quantity} {codes.QUANTITIES.get(one.quantity_unit or '', '').lower()}".strip() if one.quantity else None,
    ]
    network = {"Y": "in network", "N": "out of network", "W": "in and out of network"}.get(one.network or "")
    said = ", ".join(part for part in (*amounts, network, _needs(one.authorization)) if part)
    services = ", ".join(WORDING.service(code) for code in one.service_types[:4])
    more = f" and {len(one.service_types) - 4} more" if len(one.service_types) > 4 else ""
    head = ", ".join([kind, *limits])
    return "; ".join(part for part in (f"{head}: {said}" if said else head, f"{services}{more}") if part)


def _meant(*coded: tuple[str | None, codes.Codes]) -> list[str]:
    return [(table.get(code) or code).lower() for code, table in coded if code]


def _needs(authorization: str | None) -> str | None:
    return {"Y": "authorization needed", "N": "no authorization needed"}.get(authorization or "")


def _dollars(amount: str | None) -> str | None:
    try:
        return str(Money.of(amount)) if amount else None
    except (ValueError, ArithmeticError):
        return amount


def _percentage(percent: str | None) -> str | None:
    try:
        return _share(percent) if percent else None
    except ArithmeticError:
        return percent
