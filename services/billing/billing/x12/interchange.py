"""Bytes to interchanges, groups and transactions: the envelope (ASC X12.5 and X12.6: ISA GS ST SE GE IEA, TA1).

Nothing here raises, whatever the bytes are. A fault becomes a problem at the segment it concerns, and what cannot be
placed is kept as a raw segment. One pass, in time and memory linear in the size of the input.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from functools import lru_cache

from billing.x12 import acknowledgements, benefits, codes, inquiries
from billing.x12.records import File, Interchange, Problem, Raw, Transaction
from billing.x12.separators import (
    BLANKS,
    ISA_LENGTH,
    REPEATS_FROM,
    Header,
    Separators,
    find_isa,
    guess_terminator,
    read_header,
)

BodyReader = Callable[[Transaction, list[str], Separators, bool], None]

READERS: dict[str, BodyReader] = {
    "270": inquiries.read,
    "271": benefits.read,
    "997": acknowledgements.read,
    "999": acknowledgements.read,
}
_GROUP_KINDS = {"HS": "270", "HB": "271", "FA": "999"}
_STARTS_BODY = ("BHT", "HL")
_SMALL_ISA = re.compile(r"(?<![^\W_])isa(?=([^\w\s])..\1)", re.IGNORECASE)
_PADDING = " \t\r\n\x00\x1a"
_LONGEST_SHOWN = 9


def read(raw: bytes) -> File:
    """Everything the bytes say, with every fault as a problem. Never raises.

    Bytes that hold no X12 give no interchange and the one problem `not_x12`.
    """
    text, start, problems = _opened(raw)
    if start < 0:
        return _read_without_isa(text, problems)
    interchanges: list[Interchange] = []
    before = text[:start]
    position = 0
    for header, part, last in _parts(text, start):
        walk = _Walk(header, position)
        if before.strip(_PADDING):
            walk.set_aside(before)
            before = ""
        walk.read(part, last=last)
        interchanges.extend(walk.interchanges)
        position = walk.position
    interchanges[0].problems[:0] = problems
    return File(interchanges, [])


def segments(raw: bytes) -> list[str]:
    """The segments as they stand in the bytes, in order: the first is that of position 1. Never raises.

    Empty where no ISA can be found.
    """
    text, start, _ = _opened(raw)
    found: list[str] = []
    for header, part, _ in _parts(text, start):
        found += _Walk(header, len(found)).split(part)
    return found


def _parts(text: str, start: int) -> Iterator[tuple[Header, str, bool]]:
    """Each interchange's header and text, and whether it is the last; from the ISA at `start` on, none for -1."""
    while start >= 0:
        opening = read_header(text, start, len(text))
        following = find_isa(text, start + 3, opening.separators.segment)
        end = following if following >= 0 else len(text)
        header = opening if following < 0 else read_header(text, start, end)
        yield header, text[start:end], following < 0
        start = following


def _opened(raw: bytes) -> tuple[str, int, list[Problem]]:
    """The text, where its first ISA stands (-1: nowhere), and what is wrong with it so far."""
    text, problems = _decode(raw)
    start = _first_isa(text)
    if start < 0 and (small := _SMALL_ISA.search(text)):
        text, start = _in_capitals(text, small.start()), small.start()
        problems.append(_problem("small_letters", 1))
    return text, start, problems


def _in_capitals(text: str, start: int) -> str:
    """The text with its envelope's names in capitals, as the walk through it knows them."""
    opened = text[:start] + text[start : start + 3].upper() + text[start + 3 :]
    element, _, terminator, _ = read_header(opened, start, len(opened)).separators
    names = rf"(?:\A|{re.escape(terminator)})\s{{0,16}}(?:ISA|GS|ST|SE|GE|IEA|TA1)(?={re.escape(element)})"
    return re.sub(names, lambda found: found[0].upper(), opened, flags=re.IGNORECASE)


def _decode(raw: bytes) -> tuple[str, list[Problem]]:
    text, problems = _as_text(raw)
    if "\0" in text and "\0" in (inner := text.strip(_PADDING)):
        # No database takes one in a text. What marks it keeps every other character where it was.
        text = text.replace(inner, inner.replace("\0", "\ufffd"))
        problems.append(_problem("nul_characters", 1))
    return text, problems


def _as_text(raw: bytes) -> tuple[str, list[Problem]]:
    try:
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return raw.decode("utf-16"), []
        return (raw[3:] if raw.startswith(BOM_UTF8) else raw).decode(), []
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
        return text, [_problem("undecodable_text", 1)]


def _problem(code: str, position: int, detail: str | None = None) -> Problem:
    return Problem(code, position, detail or codes.PROBLEMS[code])


def _first_isa(text: str) -> int:
    """The first ISA: at the start, or after other text if its second separator is as its first."""
    head = len(text) - len(text.lstrip(_PADDING))
    at = find_isa(text, 0)
    while at > head and not _separated(text, at):
        at = find_isa(text, at + 3)
    return -1 if at == head and text[at + 3 : at + 4] in (*BLANKS,) else at


def _separated(text: str, at: int) -> bool:
    separator = text[at + 3 : at + 4]
    return bool(separator) and separator not in BLANKS and separator == text[at + 6 : at + 7]


def _read_without_isa(text: str, problems: list[Problem]) -> File:
    """A file whose ISA is missing or damaged: read from its first GS or ST, with what separators can be told."""
    opening = re.search(r"(?<![A-Za-z0-9])(?:GS([^\w \t\r\n])[A-Z]{2}\1|ST([^\w \t\r\n])[0-9]{3}\2)", text)
    if opening is None:
        return File([], [*problems, _problem("not_x12", 1)])
    element = opening[1] or opening[2]
    terminator = guess_terminator(text[opening.start() + 3 :][:4096], element)
    walk = _Walk(Header(Separators(element, ":", terminator, "^"), [], ["missing_isa"]), 0)
    before = text[: opening.start()]
    if before.strip(_PADDING):
        walk.set_aside(before.strip(_PADDING))
    walk.read(text[opening.start() :], last=True)
    walk.interchanges[0].problems[:0] = problems
    return File(walk.interchanges, [])


class _Walk:
    """One interchange's segments in order. (An ISA that was wrapped out of sight opens a further one.)"""

    def __init__(self, header: Header, position: int) -> None:
        self.separators = self.named_separators = header.separators
        self.mended = header.mended
        self.padded = False
        self.position = position
        self.interchanges: list[Interchange] = []
        self.body: list[str] = []
        self.transaction: Transaction | None = None
        self.cut: str | None = None
        self.envelope = _envelope(header.separators.element)
        self._open(header)

    def _open(self, header: Header) -> None:
        fields = header.elements
        self.interchange = Interchange(
            control_number=_element(fields, 13),
            sender_qualifier=_element(fields, 5),
            sender=_element(fields, 6),
            receiver_qualifier=_element(fields, 7),
            receiver=_element(fields, 8),
            version=_element(fields, 12),
            usage=_element(fields, 15),
        )
        for code in header.problems:
            self.interchange.problems.append(_problem(code, self.position + 1))
        self.interchanges.append(self.interchange)
        self.group: list[str] | None = None
        self.group_position = 0
        self.groups = 0
        self.group_transactions = 0
        self.closed = False
        self.group_numbers: set[str] = set()
        self.transaction_numbers: set[str] = set()

    def set_aside(self, text: str) -> None:
        self.interchange.other.append(Raw(text.strip(_PADDING), 0))
        self.interchange.problems.append(_problem("text_before_isa", self.position + 1))

    def read(self, text: str, *, last: bool) -> None:
        segments = self.split(text)
        if self.cut is not None:
            segments.pop()
        envelope = self.envelope
        for position, segment in enumerate(segments, self.position + 1):
            self.position = position
            handle = envelope.get(segment[:3])
            if handle is not None:
                handle(self, segment)
            elif self.transaction is not None:
                self.body.append(segment)
            else:
                self._outside(segment)
        if self.cut is not None:
            self.position += 1
            self._cut_off_segment(self.cut)
        self._end(last=last)

    def split(self, text: str) -> list[str]:
        """The segments, with line breaks and blank ones gone. Sets aside the last if nothing terminates it."""
        terminator = self.separators.segment
        if terminator != "\n" and "\n" in text:
            text = text.replace("\n", "")
        if terminator != "\r" and "\r" in text:
            text = text.replace("\r", "")
        if self.mended:
            text = text[: ISA_LENGTH - 1] + terminator + text[ISA_LENGTH:]
        text = text.rstrip(_PADDING if terminator not in _PADDING else _PADDING.replace(terminator, ""))
        self.padded = _is_padded(text, self.separators)
        segments = text.split(terminator)
        if terminator + " " in text or ("\t" in text and terminator + "\t" in text) or text[:1] in (*BLANKS,):
            segments = [segment.strip(" \t") for segment in segments]
        if segments[-1]:
            self.cut = segments[-1]
        else:
            segments.pop()
        return [segment for segment in segments if segment] if "" in segments else segments

    # -- the envelope's segments

    def isa(self, segment: str) -> None:
        if self.closed or self.group is not None or self.transaction is not None or self.groups:
            self._end(last=False)
            fields = segment.split(self.separators.element)
            self.position -= 1
            self._open(Header(self.separators, fields, [] if len(fields) == 17 else ["isa_incomplete"]))
            self.position += 1

    def gs(self, segment: str) -> None:
        self._end_transaction("missing_se")
        self._end_group()
        self.group = segment.split(self.separators.element)
        self.group_position = self.position
        self.groups += 1
        self.group_transactions = 0
        self.transaction_numbers = set()
        self._unique(self.group_numbers, _element(self.group, 6), "GS06")
        self._group_repeats(_element(self.group, 8) or "")

    def _group_repeats(self, version: str) -> None:
        """Whether elements repeat is the group's version to say; where the ISA names no separator for it, it is "^"."""
        named = self.named_separators
        unnamed = named.repetition is None and version[:5] >= REPEATS_FROM and "^" not in named
        self.separators = named._replace(repetition="^") if unnamed else named
        if unnamed:
            self._report("separator_guessed")

    def st(self, segment: str) -> None:
        self._end_transaction("missing_se")
        if self.group is None and not self.group_transactions:
            self._report("missing_gs")
        fields = segment.split(self.separators.element)
        self._begin(_element(fields, 1), _element(fields, 2), _element(fields, 3))
        self._unique(self.transaction_numbers, _element(fields, 2), "ST02")
        self.body.append(segment)

    def se(self, segment: str) -> None:
        transaction = self.transaction
        if transaction is None:
            self._stray(segment)
            return
        fields = segment.split(self.separators.element)
        self.body.append(segment)
        problems = transaction.problems
        counted = len(self.body) if self.body[0][:2] == "ST" else len(self.body) + 1
        self._count(problems, "SE01", _element(fields, 1), counted, "segments")
        self._same(problems, "SE02", _element(fields, 2), "ST02", transaction.control_number)
        self._finish()

    def ge(self, segment: str) -> None:
        self._end_transaction("missing_se")
        fields = segment.split(self.separators.element)
        problems = self.interchange.problems
        self._count(problems, "GE01", _element(fields, 1), self.group_transactions, "transactions")
        if self.group is None:
            self._report("missing_gs")
        else:
            self._same(problems, "GE02", _element(fields, 2), "GS06", _element(self.group, 6))
        self.group = None
        self.group_transactions = 0

    def iea(self, segment: str) -> None:
        self._end_transaction("missing_se")
        self._end_group()
        fields = segment.split(self.separators.element)
        problems = self.interchange.problems
        self._count(problems, "IEA01", _element(fields, 1), self.groups, "groups")
        if self.interchange.control_number is not None:
            self._same(problems, "IEA02", _element(fields, 2), "ISA13", self.interchange.control_number)
        self.closed = True

    def ta1(self, segment: str) -> None:
        if self.transaction is not None:
            self.body.append(segment)
            return
        fields = segment.split(self.separators.element)
        self.interchange.acknowledgements.append(acknowledgements.read_ta1(fields, segment, self.position))

    # -- what stands where it should not

    def _outside(self, segment: str) -> None:
        tag = segment.split(self.separators.element, 1)[0]
        if tag in _STARTS_BODY:
            kind = _GROUP_KINDS.get(_element(self.group, 1) or "") if self.group else None
            self._begin(kind, None, None)
            self._report("missing_st")
            self.body.append(segment)
        else:
            self._stray(segment)

    def _stray(self, segment: str) -> None:
        self.interchange.other.append(Raw(segment, self.position))
        self._report("stray_segment")

    def _cut_off_segment(self, segment: str) -> None:
        handle = self.envelope.get(segment[:3])
        if handle is not None and segment[:2] in ("SE", "GE", "IE", "TA"):
            handle(self, segment)
        elif self.transaction is not None:
            self.transaction.other.append(Raw(segment, self.position))
        elif segment[:3] != "ISA":
            self.interchange.other.append(Raw(segment, self.position))
        self._report("cut_off_segment")

    # -- opening and closing

    def _begin(self, kind: str | None, control_number: str | None, version: str | None) -> None:
        group = self.group or []
        in_group = _GROUP_KINDS.get(_element(group, 1) or "")
        self.group_transactions += 1
        self.transaction = Transaction(
            kind or in_group or "", version or _element(group, 8), control_number, self.position
        )
        self.interchange.transactions.append(self.transaction)
        if kind and in_group and kind != in_group and (kind, in_group) != ("997", "999"):
            self._report("kind_mismatch")

    def _finish(self) -> None:
        transaction, body = self.transaction, self.body
        self.transaction, self.body = None, []
        if transaction is None:
            return
        reader = READERS.get(transaction.kind)
        if reader is None:
            transaction.segments.extend(map(Raw, body, range(transaction.position, self.position + 1)))
        else:
            reader(transaction, body, self.separators, self.padded)
            if transaction.problems:
                transaction.problems.sort(key=_by_position)

    def _end_transaction(self, code: str) -> None:
        transaction = self.transaction
        if transaction is not None:
            transaction.problems.append(_problem(code, max(self.position - 1, transaction.position)))
            self._finish()

    def _end_group(self) -> None:
        if self.group is not None:
            self._report("missing_ge")
            self.group = None

    def _end(self, *, last: bool) -> None:
        if self.transaction is not None:
            self.transaction.cut_off = last
            self.position += 1
            self._end_transaction("cut_off" if last else "missing_se")
            self.position -= 1
        self._end_group()
        if not self.closed:
            self._report("missing_iea")
        self.interchange.problems.sort(key=_by_position)

    # -- problems

    def _report(self, code: str) -> None:
        holder = self.transaction.problems if self.transaction is not None else self.interchange.problems
        holder.append(_problem(code, self.position))

    def _unique(self, seen: set[str], number: str | None, element: str) -> None:
        if number is not None and number in seen:
            detail = f"{element} is the same as that of an earlier one"
            self.interchange.problems.append(_problem("duplicate_control_number", self.position, detail))
        elif number is not None:
            seen.add(number)

    def _count(self, problems: list[Problem], element: str, said: str | None, counted: int, what: str) -> None:
        if said is None or not said.isdecimal() or len(said) > _LONGEST_SHOWN or int(said) != counted:
            detail = f"{element} says {_shown(said)} {what}; there are {counted}"
            problems.append(_problem("count_mismatch", self.position, detail))

    def _same(self, problems: list[Problem], trailer: str, said: str | None, header: str, expected: str | None) -> None:
        if said != expected and not (said and expected and said.lstrip("0") == expected.lstrip("0")):
            detail = f"{trailer} is {_shown(said)}; {header} is {_shown(expected)}"
            problems.append(_problem("control_number_mismatch", self.position, detail))


@lru_cache(maxsize=64)
def _envelope(element: str) -> dict[str, Callable[[_Walk, str], None]]:
    """What to do with a segment of the envelope, by its first three characters."""
    handlers: dict[str, Callable[[_Walk, str], None]] = {"ISA": _Walk.isa, "IEA": _Walk.iea, "TA1": _Walk.ta1}
    for tag, handle in (("GS", _Walk.gs), ("GE", _Walk.ge), ("ST", _Walk.st), ("SE", _Walk.se)):
        handlers[tag + element] = handlers[tag] = handle
    return handlers


def _by_position(problem: Problem) -> int:
    return problem.position


def _is_padded(text: str, separators: Separators) -> bool:
    """Whether any element after the ISA (whose elements always may be) has blanks around it."""
    element, terminator = separators.element, separators.segment
    return (
        text.find(" " + element, ISA_LENGTH) >= 0
        or text.find(element + " ", ISA_LENGTH) >= 0
        or text.find(" " + terminator, ISA_LENGTH) >= 0
        or "\t" in text
    )


def _element(fields: list[str] | None, index: int) -> str | None:
    return (fields[index].strip() or None) if fields and len(fields) > index else None


def _shown(value: str | None) -> str:
    """A count or control number for a message: only if it can be one, so that nothing personal gets there."""
    if value is None:
        return "empty"
    return value if value.isdecimal() and len(value) <= _LONGEST_SHOWN else "not a number"
