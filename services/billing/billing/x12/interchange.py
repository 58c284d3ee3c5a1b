"""Bytes to interchanges, groups and transactions: the envelope (ASC X12.5 and X12.6: ISA GS ST SE GE IEA, TA1).

Nothing here raises, whatever the bytes are. A fault becomes a problem at the segment it concerns, and what cannot be
placed is kept as a raw segment. One pass, in time and memory linear in the size of the input.
"""

import re
from collections.abc import Callable

from billing.x12 import acknowledgements, benefits, codes, inquiries
from billing.x12.records import File, Interchange, Problem, Raw, Transaction
from billing.x12.separators import Header, Separators, find_isa, guess_terminator, read_header

BodyReader = Callable[[Transaction, list[str], Separators], None]

READERS: dict[str, BodyReader] = {
    "270": inquiries.read,
    "271": benefits.read,
    "997": acknowledgements.read,
    "999": acknowledgements.read,
}
_GROUP_KINDS = {"HS": "270", "HB": "271", "FA": "999"}
_STARTS_BODY = ("BHT", "HL")
_PADDING = " \t\r\n\x00\x1a"
_LONGEST_SHOWN = 9


def read(raw: bytes) -> File:
    """Everything the bytes say, with every fault as a problem. Never raises.

    Bytes that hold no X12 give no interchange and the one problem `not_x12`.
    """
    text, problems = _decode(raw)
    start = _first_isa(text)
    if start < 0:
        return _read_without_isa(text, problems)
    interchanges: list[Interchange] = []
    before = text[:start]
    position = 0
    while start >= 0:
        opening = read_header(text, start, len(text))
        following = find_isa(text, start + 3, opening.separators.segment)
        end = following if following >= 0 else len(text)
        header = opening if following < 0 else read_header(text, start, end)
        walk = _Walk(header, position)
        if before.strip(_PADDING):
            walk.set_aside(before)
            before = ""
        walk.read(text[start:end], last=following < 0)
        interchanges.extend(walk.interchanges)
        position = walk.position
        start = following
    interchanges[0].problems[:0] = problems
    return File(interchanges, [])


def _decode(raw: bytes) -> tuple[str, list[Problem]]:
    try:
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return raw.decode("utf-16"), []
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
        return text, [_problem("undecodable_text", 1)]


def _problem(code: str, position: int, detail: str | None = None) -> Problem:
    return Problem(code, position, detail or codes.PROBLEMS[code])


def _first_isa(text: str) -> int:
    """The first ISA: at the start, or after other text if its second separator is as its first."""
    head = len(text) - len(text.lstrip(_PADDING))
    at = find_isa(text, 0)
    while at > head and (text[at + 3 : at + 4] != text[at + 6 : at + 7] or text[at + 3 : at + 4].isspace()):
        at = find_isa(text, at + 3)
    if at == head and text[at + 3 : at + 4].isspace():
        return -1
    return at


def _read_without_isa(text: str, problems: list[Problem]) -> File:
    """A file whose ISA is missing or damaged: read from its first GS or ST, with what separators can be told."""
    opening = re.search(r"(?<![A-Za-z0-9])(?:GS([^\w\s])[A-Z]{2}\1|ST([^\w\s])[0-9]{3}\2)", text)
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
        self.separators = header.separators
        self.position = position
        self.interchanges: list[Interchange] = []
        self.body: list[str] = []
        self.transaction: Transaction | None = None
        self.cut: str | None = None
        element = self.separators.element
        self.envelope: dict[str, Callable[[str], None]] = {"ISA": self._isa, "IEA": self._iea, "TA1": self._ta1}
        for tag, handle in (("GS", self._gs), ("GE", self._ge), ("ST", self._st), ("SE", self._se)):
            self.envelope[tag + element] = self.envelope[tag] = handle
        self._open(header)

    def _open(self, header: Header) -> None:
        fields = [field.strip() or None for field in header.elements] + [None] * 17
        self.interchange = Interchange(
            control_number=fields[13],
            sender_qualifier=fields[5],
            sender=fields[6],
            receiver_qualifier=fields[7],
            receiver=fields[8],
            version=fields[12],
            usage=fields[15],
        )
        self.interchange.problems.extend(_problem(code, self.position + 1) for code in header.problems)
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
        segments = self._split(text)
        if self.cut is not None:
            segments.pop()
        envelope = self.envelope
        for position, segment in enumerate(segments, self.position + 1):
            self.position = position
            handle = envelope.get(segment[:3])
            if handle is not None:
                handle(segment)
            elif self.transaction is not None:
                self.body.append(segment)
            else:
                self._outside(segment)
        if self.cut is not None:
            self.position += 1
            self._cut_off_segment(self.cut)
        self._end(last=last)

    def _split(self, text: str) -> list[str]:
        """The segments, with line breaks and blank ones gone. Sets aside the last if nothing terminates it."""
        terminator = self.separators.segment
        if terminator != "\n" and "\n" in text:
            text = text.replace("\n", "")
        if terminator != "\r" and "\r" in text:
            text = text.replace("\r", "")
        text = text.rstrip(_PADDING.replace(terminator, ""))
        segments = [segment for segment in text.split(terminator) if segment and not segment.isspace()]
        if f"{terminator} " in text or f"{terminator}\t" in text or text[:1].isspace():
            segments = [segment.lstrip() for segment in segments]
        if segments and not text.endswith(terminator):
            self.cut = segments[-1]
        return segments

    # -- the envelope's segments

    def _isa(self, segment: str) -> None:
        if self.closed or self.group is not None or self.transaction is not None or self.groups:
            self._end(last=False)
            fields = segment.split(self.separators.element)
            self.position -= 1
            self._open(Header(self.separators, fields, [] if len(fields) == 17 else ["isa_incomplete"]))
            self.position += 1

    def _gs(self, segment: str) -> None:
        self._end_transaction("missing_se")
        self._end_group()
        self.group = segment.split(self.separators.element)
        self.group_position = self.position
        self.groups += 1
        self.group_transactions = 0
        self.transaction_numbers = set()
        self._unique(self.group_numbers, _element(self.group, 6), "GS06")

    def _st(self, segment: str) -> None:
        self._end_transaction("missing_se")
        if self.group is None and not self.group_transactions:
            self._report("missing_gs")
        fields = segment.split(self.separators.element)
        self._begin(_element(fields, 1), _element(fields, 2), _element(fields, 3))
        self._unique(self.transaction_numbers, _element(fields, 2), "ST02")
        self.body.append(segment)

    def _se(self, segment: str) -> None:
        transaction = self.transaction
        if transaction is None:
            self._stray(segment)
            return
        fields = segment.split(self.separators.element)
        self.body.append(segment)
        problems = transaction.problems
        counted = len(self.body) if self.body[0][:2] == "ST" else len(self.body) + 1
        problems.extend(self._count("SE01", _element(fields, 1), counted, "segments"))
        problems.extend(self._same("SE02", _element(fields, 2), "ST02", transaction.control_number))
        self._finish()

    def _ge(self, segment: str) -> None:
        self._end_transaction("missing_se")
        fields = segment.split(self.separators.element)
        problems = self.interchange.problems
        if self.group is None:
            self._report("missing_gs")
        else:
            problems.extend(self._same("GE02", _element(fields, 2), "GS06", _element(self.group, 6)))
        problems.extend(self._count("GE01", _element(fields, 1), self.group_transactions, "transactions"))
        self.group = None
        self.group_transactions = 0

    def _iea(self, segment: str) -> None:
        self._end_transaction("missing_se")
        self._end_group()
        fields = segment.split(self.separators.element)
        problems = self.interchange.problems
        problems.extend(self._count("IEA01", _element(fields, 1), self.groups, "groups"))
        if self.interchange.control_number is not None:
            problems.extend(self._same("IEA02", _element(fields, 2), "ISA13", self.interchange.control_number))
        self.closed = True

    def _ta1(self, segment: str) -> None:
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
            handle(segment)
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
            reader(transaction, body, self.separators)
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

    def _count(self, element: str, said: str | None, counted: int, what: str) -> list[Problem]:
        if said is not None and said.isdecimal() and len(said) <= _LONGEST_SHOWN and int(said) == counted:
            return []
        detail = f"{element} says {_shown(said)} {what}; there are {counted}"
        return [_problem("count_mismatch", self.position, detail)]

    def _same(self, trailer: str, said: str | None, header: str, expected: str | None) -> list[Problem]:
        if said == expected or (said and expected and said.lstrip("0") == expected.lstrip("0") != ""):
            return []
        detail = f"{trailer} is {_shown(said)}; {header} is {_shown(expected)}"
        return [_problem("control_number_mismatch", self.position, detail)]


def _by_position(problem: Problem) -> int:
    return problem.position


def _element(fields: list[str] | None, index: int) -> str | None:
    return (fields[index].strip() or None) if fields and len(fields) > index else None


def _shown(value: str | None) -> str:
    """A count or control number for a message: only if it can be one, so that nothing personal gets there."""
    if value is None:
        return "empty"
    return value if value.isdecimal() and len(value) <= _LONGEST_SHOWN else "not a number"
