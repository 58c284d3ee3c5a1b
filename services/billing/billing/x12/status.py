"""Whether coverage is active, by the answer's own words. Unknown is never "no".

The rules, in order (X12 005010X279A1, EB01 and EB03; examples are EB segments):

1. An answer that was cut off is undetermined: what is missing may say the opposite.
2. A rejection above the benefits (AAA in 2000A to 2100D), or one about the dates anywhere (52, 56, 57, 60 to 63), means
   that the question was not answered: undetermined.
3. The plan speaks first: EB with EB03 30 or 60, or without EB03. `EB*1**30` is active, `EB*6**30` inactive.
4. Where the plan is silent, the service types asked about speak: asked for MH, `EB*6**MH` is inactive. They are
   inactive only together: asked for MH and 98, `EB*6**98` alone says nothing of MH. Where the plan was asked about
   too, or none in particular, a medical or behavioral service that is active means that the plan is (`EB*1**98`);
   one that is inactive says nothing about the rest. Activity of dental, vision, pharmacy or other separate benefits
   alone (`EB*1**35`) says nothing then either.
5. Dates decide: active coverage that ended before the day asked about, or that begins after it, is inactive on that
   day. Inactive coverage that begins to be so after that day says nothing about it. Dates of the EB itself come before
   those of the patient; of several ranges only those that include the day count, if any does. Asked about no day in
   particular, the day of the answer counts, and a beginning after it is ignored: the payer answered for the day it was
   asked about.
6. Active and inactive together: the one whose own dates include the day wins, if it is the only one. Otherwise
   undetermined.
7. No EB that decides, or only U (contact another) and V (cannot process): undetermined.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from billing.x12.codes import DATE_BOUNDS, SERVICE_SCOPES, STANDINGS
from billing.x12.records import Benefit, Coverage, Period

Answer = Literal["active", "inactive", "undetermined"]
Cause = Literal[
    "answer_cut_off",
    "rejected",
    "stated",
    "ended",
    "not_begun",
    "contradiction",
    "payer_cannot_say",
    "nothing_decisive",
]

_DATE_REASONS = frozenset({"52", "56", "57", "60", "61", "62", "63"})
_PLAN_SCOPE = "plan"
_SCOPES_OF_A_PLAN = frozenset({"medical", "behavioral"})


@dataclass(frozen=True, slots=True)
class Status:
    """The answer, its cause, and the positions of the segments it rests on."""

    answer: Answer
    cause: Cause
    positions: tuple[int, ...] = ()


class Span(NamedTuple):
    """The days that dates leave open: either end may be unknown."""

    begin: date | None
    end: date | None

    @property
    def known(self) -> bool:
        return self.begin is not None or self.end is not None

    def includes(self, on: date) -> bool:
        return self.known and (self.begin is None or self.begin <= on) and (self.end is None or on <= self.end)


def status(coverage: Coverage, on: date | None = None, service_types: Collection[str] = ()) -> Status:
    """Whether the coverage is active `on` that day for those service types (none: for the plan as such)."""
    if not coverage.complete:
        return Status("undetermined", "answer_cut_off")
    rejections = [
        rejection.position
        for rejection in coverage.rejections
        if not rejection.loop.startswith("2110") or rejection.code in _DATE_REASONS
    ]
    if rejections:
        return Status("undetermined", "rejected", tuple(rejections))
    decisive = [benefit for benefit in coverage.benefits if STANDINGS.get(benefit.kind)]
    return (
        _among([benefit for benefit in decisive if _is_plan_level(benefit)], coverage, on)
        or _services_say(decisive, coverage, on, service_types)
        or _unable(decisive)
    )


def _services_say(
    decisive: list[Benefit], coverage: Coverage, on: date | None, asked: Collection[str]
) -> Status | None:
    """What the services decide where the plan is silent. That some are inactive says nothing about the others."""
    found = _among(_of_services(decisive, asked), coverage, on)
    if found is None or found.answer != "inactive":
        return found
    told = {code for one in decisive if one.position in found.positions for code in one.service_types}
    return found if told.issuperset(code for code in asked if not _is_plan(code)) else None


def _is_plan(code: str) -> bool:
    return SERVICE_SCOPES.get(code) == _PLAN_SCOPE


def _is_plan_level(benefit: Benefit) -> bool:
    if not benefit.service_types:
        return benefit.procedure is None
    return any(map(_is_plan, benefit.service_types))


def _of_services(benefits: list[Benefit], asked: Collection[str]) -> list[Benefit]:
    """The benefits of the services asked about; asked for none, of those that stand for the plan if active.

    Asked for the plan too, activity of what is separate from it (dental, pharmacy) may not stand for it.
    """
    of_plan = any(map(_is_plan, asked))
    types = {code for code in asked if not of_plan or SERVICE_SCOPES.get(code) in _SCOPES_OF_A_PLAN} or {
        code
        for benefit in benefits
        if STANDINGS[benefit.kind] == "active"
        for code in benefit.service_types
        if SERVICE_SCOPES.get(code) in _SCOPES_OF_A_PLAN
    }
    return [benefit for benefit in benefits if not types.isdisjoint(benefit.service_types)]


def _among(benefits: list[Benefit], coverage: Coverage, on: date | None) -> Status | None:
    """What these benefits of one level decide; None if they decide nothing."""
    day = on or coverage.answered
    active: list[Benefit] = []
    inactive: list[Benefit] = []
    past: list[tuple[Benefit, Cause]] = []
    for benefit in benefits:
        standing = STANDINGS[benefit.kind]
        span = _span(benefit, coverage, day)
        if standing == "active" and day and span.end and span.end < day:
            past.append((benefit, "ended"))
        elif standing == "active" and on and span.begin and span.begin > on:
            past.append((benefit, "not_begun"))
        elif standing == "active":
            active.append(benefit)
        elif standing == "inactive" and not _begins_later(benefit, on):
            inactive.append(benefit)
    if active and inactive:
        return _contradiction(active, inactive, day)
    if active:
        return Status("active", "stated", _positions(active))
    if inactive:
        return Status("inactive", "stated", _positions(inactive))
    if past:
        return Status("inactive", past[-1][1], _positions(benefit for benefit, _ in past))
    return None


def _contradiction(active: list[Benefit], inactive: list[Benefit], day: date | None) -> Status:
    if day is not None:
        now_active = [benefit for benefit in active if bounds(benefit.dates, day).includes(day)]
        now_inactive = [benefit for benefit in inactive if bounds(benefit.dates, day).includes(day)]
        if now_active and not now_inactive:
            return Status("active", "stated", _positions(now_active))
        if now_inactive and not now_active:
            return Status("inactive", "stated", _positions(now_inactive))
    return Status("undetermined", "contradiction", _positions([*active, *inactive]))


def _unable(decisive: list[Benefit]) -> Status:
    unable = [benefit for benefit in decisive if STANDINGS[benefit.kind] == "unable"]
    if unable:
        return Status("undetermined", "payer_cannot_say", _positions(unable))
    return Status("undetermined", "nothing_decisive")


def _begins_later(benefit: Benefit, on: date | None) -> bool:
    begin = bounds(benefit.dates, on).begin
    return on is not None and begin is not None and begin > on


def _span(benefit: Benefit, coverage: Coverage, day: date | None) -> Span:
    own = bounds(benefit.dates, day)
    return own if own.known else bounds_of_people(coverage, day)


def bounds_of_people(coverage: Coverage, day: date | None) -> Span:
    """The first and last day that the patient's dates name, or else the subscriber's."""
    patient = bounds(coverage.patient.dates if coverage.patient else (), day)
    return patient if patient.known or coverage.subscriber is None else bounds(coverage.subscriber.dates, day)


def bounds(dates: Iterable[Period], on: date | None) -> Span:
    """The first and last day that the dates name; of several ranges, only those that include the day, if any does."""
    spans = [span for period in dates if (span := span_of(period)) is not None]
    ranges = [span for span in spans if span.begin and span.end]
    if on is not None and any(span.includes(on) for span in ranges):
        spans = [span for span in spans if span not in ranges or span.includes(on)]
    return Span(
        max((span.begin for span in spans if span.begin), default=None),
        max((span.end for span in spans if span.end), default=None),
    )


def span_of(period: Period) -> Span | None:
    """The days that one date leaves open; None for any. A plan date without an end is a day, not a beginning."""
    bound = DATE_BOUNDS.get(period.qualifier)
    if not bound or period.start is None:
        return None
    if period.end is not None or period.open_ended:
        return Span(period.start, period.end)
    return {"begin": Span(period.start, None), "end": Span(None, period.start)}.get(bound)


def _positions(benefits: Iterable[Benefit]) -> tuple[int, ...]:
    return tuple(benefit.position for benefit in benefits)
