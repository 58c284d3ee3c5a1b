"""What a plan pays for one service, out of the many segments of an answer. Pure.

Which segments are looked at, and in which order, is in `segments`. The rules for the figures (X12 005010X279A1, EB;
examples are EB segments). Each figure keeps the positions of the segments it rests on. What no segment states is
unknown, never zero: `EB*B*IND*MH***27*0**` is a copay of $0, no `EB*B` is none that we know of.

1. Each figure is of the closest level that states it. Figures that make sense only together are taken together, all
   from one level: copay with coinsurance, a deductible or limit with what is left of it.
2. Copay (B) is of a visit: EB06 27, a day, an episode, a year's contract or nothing. One of an admission (36), a
   lifetime (32) or a week (35) is left out.
3. Copay and coinsurance (A) never come from the plan as a whole, for behavioral care is often shared otherwise. Except
   that Medicare's part B states its share once for everything: `EB*A*IND*30*MB**27**.2`.
4. Deductible (C) and out-of-pocket (G) come from the plan where no closer level states them: `EB*C*IND*30***23*1500`.
   What is left is EB06 29. Where that is not stated, it is the whole without what is used up (24), and nothing is left
   of nothing: `EB*C*IND*30***23*0`. An out-of-pocket limit of $0 is no limit that we know of.
5. One person's figure (IND) comes before one without a level, that before a family's (FAM). Of what is left, the
   family's counts too: when that is less, it is what the person still has to pay.
6. Visits (F with EB09 VS, or HSD01 VS below it) are those of a year, a lifetime or the contract, not of a week.
7. Covered: active kinds cover; inactive ones, non-covered (I) and exclusions (E) do not.
8. Authorization (EB11) is required where a segment about any procedure of the visit says Y, and not required where one
   about each of them says N. Otherwise the service types speak.
9. Of a service that payers decide on by procedure, service types tell no more than that it is not covered, or that it
   needs an authorization. Their shares, deductibles and visits are of something else.
10. Two different figures left after all this are a conflict: unknown, with both segments as evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, Literal, TypeVar

from billing.benefits.segments import Heard, Level, Told, rank
from billing.x12.codes import DATE_BOUNDS, STANDINGS
from billing.x12.records import Benefit, Delivery
from contracts.money import Money

T = TypeVar("T")
S = TypeVar("S")

REMAINING, USED = "29", "24"
_COPAY_PERIODS = frozenset({None, "27", "7", "26", "22", "23", "25"})
_TOTAL_PERIODS = frozenset({None, "22", "23", "25", "32"})
_FAMILY = "FAM"
_NETWORKS: dict[str | None, Literal["in", "in_and_out"]] = {"Y": "in", "W": "in_and_out"}
_MOST = Decimal(10) ** 8
"""Dollars or visits: more than any plan states."""


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """A figure and the segments it rests on. Unknown has no value; with evidence it is a conflict.

    `said` are the different values found, the least first: one for a figure that is known, more in a conflict.
    """

    value: T | None = None
    evidence: tuple[int, ...] = ()
    said: tuple[T, ...] = ()

    @property
    def in_conflict(self) -> bool:
        return self.value is None and bool(self.evidence)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the plan states for one service, in network, on the day asked about."""

    covered: Stated[bool]
    shared_by: str | None
    """The procedure or service type that copay and coinsurance are of."""
    copay: Stated[Money]
    coinsurance: Stated[Decimal]
    """The patient's share: 0.2 is 20 %."""
    deductible: Stated[Money]
    deductible_remaining: Stated[Money]
    deductible_of_service: bool
    """The deductible is stated for this service, not for the plan as a whole."""
    out_of_pocket: Stated[Money]
    out_of_pocket_remaining: Stated[Money]
    visits: Stated[int]
    visits_remaining: Stated[int]
    authorization_required: Stated[bool]
    network: Stated[Literal["in", "in_and_out"]]
    covered_out_of_network: Stated[bool]
    administered_by: Stated[str]


def figures(
    told: Told,
    service_types: Sequence[str],
    *,
    procedures: Collection[str] = (),
    principal: Collection[str] = (),
    only_by_procedure: bool = False,
) -> Figures:
    """What an answer states for a service.

    `principal` are those of its procedures that stand for the visit as a whole: only they have its cost.
    """
    heard = told.about(service_types, procedures)
    closest = [level for level in heard.procedures if level.name in principal]
    by_type = [] if only_by_procedure else list(heard.types)
    shared = _first([*closest, *by_type, _medicare(heard.plan)], _shares)
    own = [*closest, *by_type]
    deductible = _first(own, lambda level: _limit(level, "C"))
    of_service = deductible is not None
    deductible = deductible or _limit(heard.plan, "C") or _NOTHING
    out_of_pocket = _first([*own, heard.plan], lambda level: _limit(level, "G")) or _NOTHING
    visits = _first(own, _visits) or _NOTHING
    return Figures(
        covered=_covered(heard, only_by_procedure),
        shared_by=shared.of if shared else None,
        copay=shared.copay if shared else Stated(),
        coinsurance=shared.coinsurance if shared else Stated(),
        deductible=deductible.whole,
        deductible_remaining=deductible.left,
        deductible_of_service=of_service,
        out_of_pocket=out_of_pocket.whole,
        out_of_pocket_remaining=out_of_pocket.left,
        visits=visits.whole,
        visits_remaining=visits.left,
        authorization_required=_authorization(heard, procedures, only_by_procedure),
        network=_network(told, shared),
        covered_out_of_network=_first(heard.outside, _covers_outside) or Stated(),
        administered_by=_administrator(heard.carved_out),
    )


def year_ends(told: Told) -> date | None:
    """The last day that deductibles and limits of an answer belong to: their own dates' end, or the calendar year's."""
    counted = [one for one in told.benefits if one.kind in ("C", "G", "F") and one.network != "N"]
    ends = [
        end
        for one in counted
        for period in one.dates
        if DATE_BOUNDS.get(period.qualifier) in ("end", "period")
        and (end := period.end or (period.start if DATE_BOUNDS[period.qualifier] == "end" else None)) is not None
        and end >= told.on
    ]
    if any(one.period == "23" for one in counted):
        ends.append(date(told.on.year, 12, 31))
    return min(ends, default=None)


# Copay and coinsurance


@dataclass(frozen=True, slots=True)
class _Shared:
    of: str
    copay: Stated[Money]
    coinsurance: Stated[Decimal]


def _shares(level: Level) -> _Shared | None:
    copay = _figure([one for one in level.of("B") if one.period in _COPAY_PERIODS], _money)
    coinsurance = _figure(level.of("A"), _share)
    return _Shared(level.name, copay, coinsurance) if copay.evidence or coinsurance.evidence else None


def _medicare(plan: Level) -> Level:
    return Level(plan.name, [one for one in plan.segments if one.kind == "A" and one.insurance_type == "MB"])


# What there is, and what is left of it


@dataclass(frozen=True, slots=True)
class _Limit(Generic[T]):
    whole: Stated[T]
    left: Stated[T]


_NOTHING: _Limit[Any] = _Limit(Stated(), Stated())


def _limit(level: Level, kind: Literal["C", "G"]) -> _Limit[Money] | None:
    if kind not in level.worked_out:
        level.worked_out[kind] = _limit_found(level, kind)
    return level.worked_out[kind]


def _limit_found(level: Level, kind: Literal["C", "G"]) -> _Limit[Money] | None:
    if not (stated := level.of(kind)):
        return None
    whole = _figure([one for one in stated if one.period in _TOTAL_PERIODS], _money)
    if kind == "G" and whole.value == Money(cents=0):
        return None
    left = _least_left([one for one in stated if one.period == REMAINING])
    if not left.evidence:
        used = _figure([one for one in stated if one.period == USED], _money)
        left = _difference(whole, used, lambda all, gone: Money(cents=max(0, all.cents - gone.cents)))
    if not left.evidence and kind == "C" and whole.value == Money(cents=0):
        left = whole
    return _Limit(whole, left) if whole.evidence or left.evidence else None


def _least_left(stated: Sequence[Benefit]) -> Stated[Money]:
    one = _figure([benefit for benefit in stated if benefit.level != _FAMILY], _money)
    family = _figure([benefit for benefit in stated if benefit.level == _FAMILY], _money)
    if not one.evidence:
        return family
    if one.value and family.value and family.value.cents < one.value.cents:
        return Stated(family.value, (*family.evidence, *one.evidence), family.said)
    return one


def _difference(whole: Stated[T], used: Stated[T], minus: Callable[[T, T], T]) -> Stated[T]:
    if whole.value is None or used.value is None:
        return Stated()
    left = minus(whole.value, used.value)
    return Stated(left, (*whole.evidence, *used.evidence), (left,))


def _visits(level: Level) -> _Limit[int] | None:
    if not (stated := level.of("F")):
        return None
    whole = _figure(stated, lambda one: _count(one, _TOTAL_PERIODS))
    left = _figure(stated, lambda one: _count(one, frozenset({REMAINING, "33"})))
    if not left.evidence:
        used = _figure(stated, lambda one: _count(one, frozenset({USED})))
        left = _difference(whole, used, lambda all, gone: max(0, all - gone))
    return _Limit(whole, left) if whole.evidence or left.evidence else None


def _count(benefit: Benefit, periods: Collection[str | None]) -> int | None:
    if benefit.quantity_unit == "VS":
        return _whole_number(benefit.quantity) if benefit.period in periods else None
    given = (_delivered(one, benefit.period, periods) for one in benefit.delivery)
    return next((count for count in given if count is not None), None)


def _delivered(delivery: Delivery, period: str | None, periods: Collection[str | None]) -> int | None:
    if delivery.quantity_qualifier != "VS" or (delivery.period or period) not in periods:
        return None
    return _whole_number(delivery.quantity)


# Whether, where and by whom


def _covered(heard: Heard, only_by_procedure: bool) -> Stated[bool]:
    by_procedure = _agreed([said for level in heard.procedures for said in _cover(level)])
    if by_procedure.evidence:
        return by_procedure
    by_type = _first(heard.types, lambda level: _agreed(_cover(level)))
    if by_type is None or (only_by_procedure and by_type.value is not False):
        return Stated()
    return by_type


def _cover(level: Level) -> list[tuple[bool, int]]:
    said: list[tuple[bool, int]] = []
    for benefit in level.segments:
        standing = STANDINGS.get(benefit.kind)
        if standing in ("active", "inactive"):
            said.append((standing == "active", benefit.position))
        elif benefit.kind in ("I", "E"):
            said.append((False, benefit.position))
    return said


def _covers_outside(level: Level) -> Stated[bool]:
    """Outside the network a stated share is enough to tell that something is paid."""
    shared = [(True, one.position) for one in level.segments if one.kind in ("A", "B")]
    return _agreed([*_cover(level), *shared])


def _authorization(heard: Heard, procedures: Collection[str], only_by_procedure: bool) -> Stated[bool]:
    by_code = {level.name: found for level in heard.procedures if (found := _authorized(level)).evidence}
    needed = [found for found in by_code.values() if found.value is not False]
    if needed:
        return min(needed, key=lambda found: not found.in_conflict)
    if by_code and set(by_code) == set(procedures):
        evidence = tuple(sorted({at for found in by_code.values() for at in found.evidence}))
        return Stated(False, evidence, (False,))
    by_type = _first(heard.types, _authorized) or Stated()
    return Stated() if only_by_procedure and by_type.value is False else by_type


def _authorized(level: Level) -> Stated[bool]:
    return _agreed(
        [(one.authorization == "Y", one.position) for one in level.segments if one.authorization in ("Y", "N")]
    )


def _network(told: Told, shared: _Shared | None) -> Stated[Literal["in", "in_and_out"]]:
    evidence = sorted({*shared.copay.evidence, *shared.coinsurance.evidence}) if shared else ()
    stated = [(told.by_position[at].network, at) for at in evidence]
    return _agreed([(_NETWORKS[network], at) for network, at in stated if network in _NETWORKS])


def _administrator(carved_out: Benefit | None) -> Stated[str]:
    """The payer's name and telephone number, in one line. A carve-out that names nobody is a conflict with no value."""
    if carved_out is None:
        return Stated()
    for entity in carved_out.entities:
        if entity.last:
            numbers = [number for contact in entity.contacts for kind, number in contact.numbers if kind == "TE"]
            name = ", ".join([entity.last, *numbers[:1]])
            return Stated(name, (carved_out.position,), (name,))
    return Stated(None, (carved_out.position,))


# One figure out of several segments


def _first(levels: Iterable[Level], find: Callable[[Level], S | None]) -> S | None:
    for level in levels:
        found = find(level)
        if isinstance(found, Stated):
            if found.evidence:
                return found
        elif found is not None:
            return found
    return None


def _figure(among: Sequence[Benefit], value_of: Callable[[Benefit], T | None]) -> Stated[T]:
    """The one value of the most telling segments."""
    if not among:
        return Stated()
    valued = [(one, value) for one in among if (value := value_of(one)) is not None]
    if not valued:
        return Stated()
    first = min(rank(one) for one, _ in valued)
    return _agreed([(value, one.position) for one, value in valued if rank(one) == first])


def _agreed(said: Sequence[tuple[T, int]]) -> Stated[T]:
    if len(said) == 1:
        [(value, position)] = said
        return Stated(value, (position,), (value,))
    if not said:
        return Stated()
    values = tuple(sorted({value for value, _ in said}, key=_size))
    evidence = tuple(sorted({position for _, position in said}))
    return Stated(values[0] if len(values) == 1 else None, evidence, values)


def _size(value: Any) -> Any:
    return value.cents if isinstance(value, Money) else value


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and 0 <= number <= _MOST else None


def _money(benefit: Benefit) -> Money | None:
    amount = _number(benefit.amount)
    try:
        return None if amount is None else Money.of(amount)
    except ValueError:
        return None


def _share(benefit: Benefit) -> Decimal | None:
    share = _number(benefit.percent)
    return share if share is not None and share <= 1 else None


def _whole_number(text: str | None) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number == number.to_integral_value() else None
