"""What a plan pays for one kind of service, out of the many segments of an answer. Pure.

The rules, in order (X12 005010X279A1, EB; examples are EB segments). Each figure keeps the positions of the segments
it rests on. What no segment states is unknown, never zero: `EB*B*IND*MH***27*0**` is a copay of $0, no `EB*B` is none
that we know of.

1. In network only: EB12 N is left out. Where EB12 says Y or W, segments that do not say it are left out too.
2. On the day asked about: a segment whose own dates do not include it is left out.
3. At a clinic's office: a segment limited to other places (III) is left out; one limited to an office (11) comes
   first. A segment about one procedure or drug (EB13) says nothing about the service as such.
4. Copay (B) and coinsurance (A) come from segments that name the service. Deductible (C) and out-of-pocket (G) come
   from those, else from those of the plan (EB03 30, or none): `EB*C*IND*30***23*1500`.
5. One person's figure (IND) comes before one without a level, that before a family's (FAM).
6. What is left of a deductible is EB06 29; the whole of it any other period but 24, which is what was used up.
7. Two different figures left after all this are a conflict: unknown, with both segments as evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar

from billing.x12.codes import SERVICE_SCOPES, STANDINGS
from billing.x12.records import Benefit, Period
from contracts.money import Money

T = TypeVar("T")

_REMAINING, _USED = "29", "24"
_LEVELS = {"IND": 0, None: 1, "FAM": 3}
_OTHER_LEVEL = 2
_OFFICE = "11"


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """A figure and the segments it rests on. Unknown has no value; with evidence it is a conflict."""

    value: T | None = None
    evidence: tuple[int, ...] = ()

    @property
    def in_conflict(self) -> bool:
        return self.value is None and bool(self.evidence)


@dataclass(frozen=True, slots=True)
class ServiceBenefit:
    """What the plan states for one service type, in network, on the day asked about."""

    service_type: str
    covered: Stated[bool]
    copay: Stated[Money]
    coinsurance: Stated[Decimal]
    """The patient's share: 0.2 is 20 %."""
    deductible: Stated[Money]
    deductible_remaining: Stated[Money]
    out_of_pocket: Stated[Money]
    out_of_pocket_remaining: Stated[Money]
    authorization_required: Stated[bool]


def of_service(benefits: Sequence[Benefit], service_type: str, on: date) -> ServiceBenefit:
    """What these segments state for a service on a day."""
    usable = _in_network([benefit for benefit in benefits if _applies(benefit, on)])
    own = [benefit for benefit in usable if service_type in benefit.service_types]
    plan = [benefit for benefit in usable if _of_plan(benefit)]

    def money(kind: str, among: Sequence[Benefit], *, remaining: bool | None = None) -> Stated[Money]:
        return _figure([one for one in among if one.kind == kind and _period_fits(one, remaining)], _money)

    def plan_wide(kind: str, *, remaining: bool) -> Stated[Money]:
        stated = money(kind, own, remaining=remaining)
        return stated if stated.evidence else money(kind, plan, remaining=remaining)

    return ServiceBenefit(
        service_type=service_type,
        covered=_covered(own),
        copay=money("B", own),
        coinsurance=_figure([one for one in own if one.kind == "A"], _share),
        deductible=plan_wide("C", remaining=False),
        deductible_remaining=plan_wide("C", remaining=True),
        out_of_pocket=plan_wide("G", remaining=False),
        out_of_pocket_remaining=plan_wide("G", remaining=True),
        authorization_required=_authorization(own),
    )


def _applies(benefit: Benefit, on: date) -> bool:
    return benefit.procedure is None and benefit.network != "N" and _at_an_office(benefit) and _on(benefit.dates, on)


def _at_an_office(benefit: Benefit) -> bool:
    places = {found.code for found in benefit.circumstances if found.qualifier == "ZZ"}
    return not places or _OFFICE in places


def _on(dates: Iterable[Period], day: date) -> bool:
    return all(
        not (period.start and period.end and not period.start <= day <= period.end)
        for period in dates
        if period.qualifier in ("291", "292", "307", "348")
    )


def _in_network(benefits: list[Benefit]) -> list[Benefit]:
    """Within each kind, those that say that they are about the network come before those that don't say."""
    said = {(one.kind, one.service_types) for one in benefits if one.network in ("Y", "W")}
    return [one for one in benefits if one.network in ("Y", "W") or (one.kind, one.service_types) not in said]


def _of_plan(benefit: Benefit) -> bool:
    return not benefit.service_types or any(SERVICE_SCOPES.get(code) == "plan" for code in benefit.service_types)


def _period_fits(benefit: Benefit, remaining: bool | None) -> bool:
    if remaining is None:
        return True
    return benefit.period == _REMAINING if remaining else benefit.period not in (_REMAINING, _USED)


def _covered(own: Sequence[Benefit]) -> Stated[bool]:
    """Active kinds cover; inactive ones, non-covered (I) and exclusions (E) do not."""
    said: list[tuple[bool, int]] = []
    for benefit in own:
        standing = STANDINGS.get(benefit.kind)
        if standing in ("active", "inactive"):
            said.append((standing == "active", benefit.position))
        elif benefit.kind in ("I", "E"):
            said.append((False, benefit.position))
    return _agreed(said)


def _authorization(own: Sequence[Benefit]) -> Stated[bool]:
    return _agreed([(one.authorization == "Y", one.position) for one in own if one.authorization in ("Y", "N")])


def _agreed(said: Sequence[tuple[T, int]]) -> Stated[T]:
    values = {value for value, _ in said}
    evidence = tuple(position for _, position in said)
    return Stated(values.pop() if len(values) == 1 else None, evidence)


def _figure(among: Sequence[Benefit], value_of: Callable[[Benefit], T | None]) -> Stated[T]:
    """The one value of the most telling segments: an office's before any place's, one person's before a family's."""
    valued = [(one, value) for one in among if (value := value_of(one)) is not None]
    if not valued:
        return Stated()
    first = min(map(_rank, (one for one, _ in valued)))
    return _agreed([(value, one.position) for one, value in valued if _rank(one) == first])


def _rank(benefit: Benefit) -> tuple[bool, int]:
    return not benefit.circumstances, _LEVELS.get(benefit.level, _OTHER_LEVEL)


def _money(benefit: Benefit) -> Money | None:
    try:
        return Money.of(benefit.amount) if benefit.amount else None
    except (InvalidOperation, ValueError):
        return None


def _share(benefit: Benefit) -> Decimal | None:
    try:
        share = Decimal(benefit.percent) if benefit.percent else None
    except InvalidOperation:
        return None
    return share if share is not None and 0 <= share <= 1 else None
