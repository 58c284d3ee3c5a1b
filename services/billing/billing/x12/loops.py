"""The loops that 270 and 271 share: levels (HL), names (NM1 and what follows), dates, references, traces.

ASC X12 005010X279A1, loops 2000A to 2100D; 004010X092 and X092A1 have the same shape. A level whose HL is missing is
inferred from the name that opens it. What belongs nowhere is kept raw.
"""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import count, repeat
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeVar

from billing.x12 import codes
from billing.x12.elements import days, guessed_days
from billing.x12.levels import DEPENDENT, RANK_NAMES, RANKS, RECEIVER, SOURCE, SUBSCRIBER, Level, shown_with
from billing.x12.records import (
    Benefit,
    Circumstance,
    Contact,
    Few,
    Party,
    Period,
    Problem,
    Question,
    Raw,
    Reference,
    Trace,
    Transaction,
)
from billing.x12.separators import Separators

_RANKS_BY_ROLE = {
    "PR": SOURCE, "2B": SOURCE, "36": SOURCE, "P5": SOURCE, "GP": SOURCE,
    "1P": RECEIVER, "80": RECEIVER, "FA": RECEIVER,
    "IL": SUBSCRIBER, "03": DEPENDENT,
}  # fmt: skip
_PATIENTS = ("IL", "03")
_DATE_FORMS = frozenset({"", "D8", "RD8", "DT", "RDT"})
"""How a date says it is written (DTP02, DMG01). Which of them is told by its text."""
_PAD = ("",) * 10

Handler = Callable[[Any, list[str]], None]
Added = TypeVar("Added")
Detail = TypeVar("Detail", Benefit, Question)


def _first_four(fields: list[str]) -> tuple[str, str, str, str]:
    """The first four elements after the segment's name, empty where they are left out."""
    if len(fields) < 5:
        fields += _PAD[len(fields) : 5]
    return fields[1], fields[2], fields[3], fields[4]


def added(few: Few[Added], item: Added) -> list[Added]:
    """The list with one item more: itself, or a new one where there was none."""
    if few:
        few.append(item)
        return few
    return [item]


class LoopReader(Generic[Detail]):
    """Reads a transaction segment by segment. Subclasses add the segments of their own loop 2110 to `handlers`."""

    handlers: ClassVar[dict[str, Handler]]

    def __init__(self, transaction: Transaction, separators: Separators) -> None:
        self.transaction = transaction
        self.problems: list[Problem] = transaction.problems
        self.separators = separators
        self.levels: list[Level] = []
        self.level: Level | None = None
        self.by_number: dict[str, Level] = {}
        self.path: list[Level | None] = [None] * 4
        self.detail: Detail | None = None
        self.entity: Party | None = None
        self.in_related_entities = False
        self.position = transaction.position
        self.segment = ""
        self.body: Sequence[str] = ()

    def read(self, body: Sequence[str], *, padded: bool) -> None:
        """Read ST to SE. Elements lose the blanks around them; `padded` says whether any has some."""
        self.body = body
        handlers = self.handlers
        element = self.separators.element
        split = map(str.split, body, repeat(element))
        for self.position, self.segment, fields in zip(count(self.position), body, split, strict=False):  # noqa: B020
            if padded:
                fields[:] = map(str.strip, fields)
            handler = handlers.get(fields[0])
            if handler is None:
                self._unknown(fields)
            else:
                handler(self, fields)
        self._check_levels()

    # -- problems

    def report(self, code: str, detail: str | None = None, position: int | None = None) -> None:
        self.problems.append(Problem(code, position or self.position, detail or codes.PROBLEMS[code]))

    def keep(self) -> None:
        """Keep the segment at hand raw, once, as close to where it belongs as can be."""
        holder = self.transaction.other if self.level is None else self.level.other
        if not holder or holder[-1].position != self.position:
            holder.append(Raw(self.segment, self.position))

    def misplaced(self) -> None:
        self.keep()
        self.report("unexpected_segment")

    def _unknown(self, fields: list[str]) -> None:
        tag = fields[0].upper()
        handler = self.handlers.get(tag)
        if handler is not None:
            handler(self, fields)
        else:
            self.keep()
            self.report("unknown_segment")

    def known(self, code: str, table: codes.Codes, element: str) -> str:
        """The code as sent; a problem if it is not in its list."""
        if code and code not in table:
            self.report("unknown_code", f"{element} is not in the list of known codes; it is kept as sent")
        return code

    # -- envelope of the transaction

    def st(self, _fields: list[str]) -> None:
        """Read by the envelope."""

    def bht(self, fields: list[str]) -> None:
        transaction = self.transaction
        if transaction.structure or transaction.reference:
            self.misplaced()
            return
        structure, purpose, reference, created, time, kind, *further = (*fields[1:], *_PAD[:6])
        transaction.structure, transaction.purpose = structure or None, purpose or None
        transaction.reference = reference or None
        transaction.created = self._day(created, "BHT04")
        transaction.time, transaction.type = time or None, kind or None
        if any(further):
            self.keep()

    def _day(self, text: str, element: str) -> date | None:
        parsed = days("D8", text)
        if parsed is None and text:
            self.report("malformed_date", f"{element} is not a date written CCYYMMDD")
            self.keep()
            parsed = guessed_days(text)
        return parsed[0] if parsed else None

    # -- levels

    def hl(self, fields: list[str]) -> None:
        number, above, code, child = _first_four(fields)
        rank = RANKS.get(code)
        if rank is None:
            self.report("unknown_level")
            rank = min(self.level.rank + 1, DEPENDENT) if self.level else SOURCE
        parent = self.by_number.get(above) if above else None
        if (above or rank > SOURCE) and (parent is None or parent.rank >= rank):
            parent = self._nearest(rank)
            self.report("hl_parent")
        level = self._enter(rank, parent)
        level.expects_children = child == "1"
        if number in self.by_number:
            self.report("duplicate_hl")
        self.by_number[number] = level
        if len(fields) > 5 and any(fields[5:]):
            self.keep()

    def _nearest(self, rank: int) -> Level | None:
        return next((level for level in reversed(self.path[:rank]) if level is not None), None)

    def _enter(self, rank: int, parent: Level | None) -> Level:
        level = Level(rank, parent, self.position)
        if parent is not None:
            parent.children += 1
        self.levels.append(level)
        self.level = level
        self.path[rank:] = (level, None, None, None)[: 4 - rank]
        self.detail = self.entity = None
        self.in_related_entities = False
        return level

    def infer(self, rank: int, code: str) -> Level:
        """Enter a level that no HL opened."""
        self.report(code, f"No HL opens this {RANK_NAMES[rank]}; its level was inferred")
        return self._enter(rank, self._nearest(rank))

    def patient_level(self) -> Level:
        """The subscriber or dependent at hand; where there is none, one is inferred."""
        if self.level is None or self.level.rank < SUBSCRIBER:
            return self.infer(SUBSCRIBER, "missing_loop")
        return self.level

    def _check_levels(self) -> None:
        for level in self.levels:
            if level.expects_children and not level.children:
                detail = f"HL04 of this {RANK_NAMES[level.rank]} announces a level below; there is none"
                self.report("missing_loop", detail, level.position)
        if not any(level.rank >= SUBSCRIBER for level in self.levels) and not any(
            level.rejections for level in self.levels
        ):
            self.report("missing_loop", "There is no subscriber (loop 2000C)", self.transaction.position)

    def telling(self, tells: Callable[[Level], bool]) -> list[Level]:
        """The levels that tell something, in file order; the last one if none does. What no one shows is kept raw."""
        found: list[Level] = []
        untold = False
        for level in self.levels:
            if tells(level):
                found.append(level)
            elif level.other or not level.children:
                untold = True
        found = found or self.levels[-1:]
        if untold:
            self._keep_untold(found)
        return found

    def _keep_untold(self, found: list[Level]) -> None:
        """Keep what stands in levels above nobody, and what was kept in levels that are shown only as surroundings."""
        told = {level.position for level in found}
        shown = shown_with(found)
        ends = [*(level.position for level in self.levels[1:]), self.position + (self.segment[:2] != "SE")]
        for level, end in zip(self.levels, ends, strict=True):
            if level.position not in shown:
                first = self.transaction.position
                self.transaction.other += [Raw(self.body[at - first], at) for at in range(level.position, end)]
            elif level.position not in told:
                self.transaction.other += level.other
        self.transaction.other.sort(key=attrgetter("position"))

    # -- names

    def nm1(self, fields: list[str]) -> None:
        given = len(fields)
        if given < 10:
            fields += _PAD[given:]
        role = fields[1]
        if self.in_related_entities or (self.detail is not None and role not in _PATIENTS):
            if not isinstance(self.detail, Benefit):
                self.entity = None
                self.misplaced()
                return
            party = self._related_entity(self.detail)
        else:
            rank = _RANKS_BY_ROLE.get(role)
            level = self.level
            if level is None:
                level = self.infer(SUBSCRIBER if rank is None else rank, "missing_hl")
            elif rank is not None and (
                self.detail is not None  # what follows is about somebody else
                or (rank > level.rank and rank >= self._least_jump(level))
            ):
                level = self.infer(rank, "missing_hl")
            elif level.party.position:
                self.misplaced()
                return
            party = level.party
            party.position = self.position
        party.role = (role if role in codes.ENTITIES else self.known(role, codes.ENTITIES, "NM101")) or None
        party.entity_type = fields[2] or None
        party.last = fields[3] or None
        party.first = fields[4] or None
        party.middle = fields[5] or None
        party.prefix = fields[6] or None
        party.suffix = fields[7] or None
        party.id_qualifier = fields[8] or None
        party.id = fields[9] or None
        if given > 10:
            self.keep()
        self.entity = party

    @staticmethod
    def _least_jump(level: Level) -> int:
        """A named level may hold a subscriber or dependent for others; a source's or receiver's roles overlap."""
        return RECEIVER if level.party.role is not None else SUBSCRIBER

    def _related_entity(self, benefit: Benefit) -> Party:
        if not self.in_related_entities:
            self.report("missing_ls")
        party = Party(position=self.position)
        benefit.entities = added(benefit.entities, party)
        return party

    def party(self) -> Party | None:
        """Whom N3, N4, PER, DMG and the like are about."""
        if self.entity is not None:
            return self.entity
        return self.level.party if self.level is not None and self.detail is None else None

    def person(self) -> Party | None:
        """Whom DMG and INS are about: the subscriber or dependent at hand, and nobody else."""
        level, party = self.level, self.party()
        return party if level is not None and level.rank >= SUBSCRIBER and party is level.party else None

    def n3(self, fields: list[str]) -> None:
        party = self.party()
        if party is None:
            self.misplaced()
        else:
            party.address.extend(filter(None, fields[1:]))

    def n4(self, fields: list[str]) -> None:
        party = self.party()
        if party is None or party.city or party.state or party.postal_code:
            self.misplaced()
            return
        city, state, postal_code, country = _first_four(fields)
        party.city = city or None
        party.state = state or None
        party.postal_code = postal_code or None
        party.country = country or None
        if len(fields) > 5 and any(fields[5:]):
            self.keep()

    def per(self, fields: list[str]) -> None:
        party = self.party()
        if party is None:
            self.misplaced()
            return
        function, name, *_ = _first_four(fields)
        numbers = fields[3:9]
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        given = [(qualifier, number) for qualifier, number in pairs if number]
        party.contacts.append(Contact(function, name or None, given, self.position))
        if len(fields) > 9:
            self.keep()

    def dmg(self, fields: list[str]) -> None:
        party = self.person()
        if party is None or party.birth_date or party.gender:
            self.misplaced()
            return
        if len(fields) > 1 and fields[1] not in _DATE_FORMS:
            self.keep()
        if len(fields) > 2:
            party.birth_date = self._day(fields[2], "DMG02")
        if len(fields) > 3:
            party.gender = fields[3] or None
        if len(fields) > 4 and any(fields[4:]):
            self.keep()

    def ins(self, fields: list[str]) -> None:
        party = self.person()
        if party is None or party.insured or party.relationship:
            self.misplaced()
            return
        if len(fields) > 1:
            party.insured = self.known(fields[1], codes.ANSWERS, "INS01") or None
        if len(fields) > 2:
            party.relationship = self.known(fields[2], codes.RELATIONSHIPS, "INS02") or None
        if len(fields) > 3 and any(fields[3:]):
            self.keep()

    def prv(self, fields: list[str]) -> None:
        party = self.party()
        if party is None:
            self.misplaced()
            return
        provider_type, qualifier, number, _ = _first_four(fields)
        if party.provider_type is not None or any(fields[4:]):
            self.keep()
        if party.provider_type is None:
            party.provider_type = provider_type or None
            party.provider_number_qualifier = qualifier or None
            party.provider_number = number or None

    def kept(self, _fields: list[str]) -> None:
        """A segment of the guide that is shown as sent."""
        self.keep()

    # -- what stands with a name or with a benefit

    def trn(self, fields: list[str]) -> None:
        if self.level is None:
            self.misplaced()
            return
        kind, number, originator, detail = _first_four(fields)
        self.level.traces.append(Trace(kind, number, originator or None, detail or None, self.position))
        if len(fields) > 5 and any(fields[5:]):
            self.keep()

    def ref(self, fields: list[str]) -> None:
        holder = self.entity or self.detail or (self.level and self.level.party)
        if not holder:
            self.misplaced()
            return
        qualifier, value, description, further = _first_four(fields)
        qualifier = self.known(qualifier, codes.REFERENCES, "REF01")
        reference = Reference(qualifier, value, description or None, self.position)
        holder.references = added(holder.references, reference)
        if further or len(fields) > 5:
            self.keep()

    def dtp(self, fields: list[str]) -> None:
        holder = self.detail or self.entity or (self.level and self.level.party)
        if not holder:
            self.misplaced()
            return
        if len(fields) != 4:
            if any(fields[4:]):
                self.keep()
            fields = [*fields, "", "", ""]
        qualifier, text = fields[1], fields[3]
        if qualifier not in codes.DATES:
            qualifier = self.known(qualifier, codes.DATES, "DTP01")
        if fields[2] not in _DATE_FORMS:
            self.keep()
        span = days(fields[2], text)
        if span is None:
            self.report("malformed_date", "DTP03 is neither a date nor a range in the form that DTP02 names")
            span = guessed_days(text) or (None, None)
        holder.dates = added(holder.dates, Period(qualifier, span[0], span[1], text, self.position))

    def iii(self, fields: list[str]) -> None:
        if self.detail is None:
            self.misplaced()
            return
        qualifier, code, category, text = _first_four(fields)
        circumstance = Circumstance(
            qualifier or None,
            code or None,
            category or None,
            text or None,
            self.position,
        )
        self.detail.circumstances = added(self.detail.circumstances, circumstance)
        if len(fields) > 5 and any(fields[5:]):
            self.keep()


SHARED: dict[str, Handler] = {
    "ST": LoopReader.st,
    "SE": LoopReader.st,
    "BHT": LoopReader.bht,
    "HL": LoopReader.hl,
    "NM1": LoopReader.nm1,
    "N2": LoopReader.kept,
    "N3": LoopReader.n3,
    "N4": LoopReader.n4,
    "PER": LoopReader.per,
    "DMG": LoopReader.dmg,
    "INS": LoopReader.ins,
    "PRV": LoopReader.prv,
    "HI": LoopReader.kept,
    "MPI": LoopReader.kept,
    "TRN": LoopReader.trn,
    "REF": LoopReader.ref,
    "DTP": LoopReader.dtp,
    "III": LoopReader.iii,
}
