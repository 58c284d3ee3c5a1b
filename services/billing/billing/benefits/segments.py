"""Which segments of an answer speak about a service, and which come before which. Pure.

The rules, in order (X12 005010X279A1, EB; examples are EB segments):

1. In network. EB12 N says what holds outside the network, and is kept apart. Among segments for one figure, those that
   say Y or W come before those that do not say.
2. On the day asked about. A segment whose own dates (DTP) do not include the day is left out.
3. At a clinic's office. A segment limited to other places (III) is left out; one limited to an office (11) comes first.
4. For care outside hospital. Medicare's part A is left out, and its part D but for pharmacy:
   `EB*C*IND*30*MA**26*1676` is a hospital's deductible.
5. A procedure of ours (EB13) comes first, then the service types in the order that the clinic's list gives, then the
   plan (EB03 30, or none). A segment about any other procedure or drug says nothing about ours.
6. A carve-out ends the search. `EB*U**MH^A8` sends us to another payer for these: no later service type, and nothing
   of the plan, stands in for what only that payer can say. Where an earlier type has told already that it is covered
   or what it costs, a later one that is carved out (pharmacy, often) is only passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from billing.x12.codes import SERVICE_SCOPES, STANDINGS
from billing.x12.records import Benefit, Period, Procedure
from billing.x12.status import span_of

_OFFICE = "11"
_LEVELS = {"IND": 0, None: 1, "FAM": 3}
_OTHER_LEVEL = 2
_PROCEDURE_QUALIFIERS = frozenset({"HC", "CJ"})
_PHARMACY = "88"
_CARVED_OUT = "U"


@dataclass(frozen=True)
class Level:
    """Segments that speak about the service equally closely. `name` is a procedure, a service type, or `30`."""

    name: str
    segments: Sequence[Benefit]
    worked_out: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)
    """What was found in it already, by the figure's name: services share their levels."""

    def of(self, kind: str) -> Sequence[Benefit]:
        return self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> dict[str, list[Benefit]]:
        found = defaultdict[str, list[Benefit]](list)
        for one in self.segments:
            found[one.kind].append(one)
        return found


@dataclass(frozen=True, slots=True)
class Heard:
    """What of an answer speaks about one service, the closest first."""

    procedures: Sequence[Level]
    types: Sequence[Level]
    plan: Level
    outside: Sequence[Level]
    """What holds outside the network."""
    carved_out: Benefit | None


class Told:
    """An answer's segments that hold on a day at a clinic's office, sorted once for all services looked up in them."""

    def __init__(self, benefits: Sequence[Benefit], on: date) -> None:
        self.on = on
        self.benefits = benefits
        self.by_position = {one.position: one for one in benefits}
        holding = [one for one in benefits if _on(one.dates, on) and _at_an_office(one) and _outside_hospital(one)]
        self._inside = _Side([one for one in holding if one.network != "N"])
        self._outside = _Side([one for one in holding if one.network == "N"])

    def about(self, service_types: Sequence[str], procedures: Collection[str]) -> Heard:
        """What speaks about a service of these types and procedures."""
        types, carved_out = _until_carved_out(map(self._inside.type, service_types))
        return Heard(
            procedures=[level for code in procedures if (level := self._inside.procedure(code)).segments],
            types=types,
            plan=Level("30", ()) if carved_out else self._inside.plan,
            outside=[*map(self._outside.type, service_types), self._outside.plan],
            carved_out=carved_out,
        )


class _Side:
    """What holds in the network, or outside of it."""

    def __init__(self, benefits: Sequence[Benefit]) -> None:
        self.plan = Level("30", [one for one in benefits if _of_plan(one)])
        self._with_procedure = [one for one in benefits if one.procedure is not None]
        by_type = defaultdict[str, list[Benefit]](list)
        for one in benefits:
            if one.procedure is None:
                for code in dict.fromkeys(one.service_types):
                    by_type[code].append(one)
        self._types = {code: Level(code, found) for code, found in by_type.items()}

    def type(self, code: str) -> Level:
        return self._types.get(code) or Level(code, ())

    def procedure(self, code: str) -> Level:
        return Level(code, [one for one in self._with_procedure if one.procedure and _names(one.procedure, code)])


def rank(benefit: Benefit) -> tuple[bool, bool, int]:
    """Among segments for one figure: the network's own first, then an office's, then one person's before a family's."""
    said_network = benefit.network in ("Y", "W")
    return not said_network, not benefit.circumstances, _LEVELS.get(benefit.level, _OTHER_LEVEL)


def _until_carved_out(levels: Iterable[Level]) -> tuple[list[Level], Benefit | None]:
    kept: list[Level] = []
    for level in levels:
        elsewhere = level.of(_CARVED_OUT)
        if elsewhere and any(map(_tells, kept)):
            continue
        kept.append(level)
        if elsewhere:
            return kept, elsewhere[0]
    return kept, None


def _tells(level: Level) -> bool:
    return any(one.kind in ("A", "B") or STANDINGS.get(one.kind) == "active" for one in level.segments)


def _names(procedure: Procedure, code: str) -> bool:
    """EB13 names one procedure, or with its last component a range of them."""
    if procedure.qualifier not in _PROCEDURE_QUALIFIERS or procedure.code is None:
        return False
    return procedure.code <= code <= (procedure.last_code or procedure.code) and len(code) == len(procedure.code)


def _of_plan(benefit: Benefit) -> bool:
    if benefit.procedure is not None:
        return False
    return not benefit.service_types or any(SERVICE_SCOPES.get(code) == "plan" for code in benefit.service_types)


def _at_an_office(benefit: Benefit) -> bool:
    places = {found.code for found in benefit.circumstances if found.qualifier == "ZZ"}
    return not places or _OFFICE in places


def _outside_hospital(benefit: Benefit) -> bool:
    if benefit.insurance_type == "MD":
        return _PHARMACY in benefit.service_types
    return benefit.insurance_type != "MA"


def _on(dates: Iterable[Period], day: date) -> bool:
    return all(span.includes(day) for period in dates if (span := span_of(period)) is not None)
