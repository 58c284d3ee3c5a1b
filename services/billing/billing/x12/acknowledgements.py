"""What became of what was sent: 999 (005010X231A1), 997 (004010) and the interchange acknowledgement TA1."""

from collections.abc import Callable

from billing.x12 import codes
from billing.x12.records import (
    Acknowledgement,
    ElementError,
    Problem,
    Raw,
    SegmentError,
    Transaction,
    TransactionAnswer,
)
from billing.x12.separators import Separators

_PAD = [""] * 10


def read_ta1(fields: list[str], segment: str, position: int) -> Acknowledgement:
    """TA1: the interchange acknowledged, when it was sent, its fate (A, E, R) and the note code."""
    _, number, sent_on, sent_at, status, note, *_ = (*fields, *_PAD)
    return Acknowledgement(
        kind="TA1",
        group=None,
        control_number=number.strip(),
        version=None,
        status=status.strip() or None,
        codes=[note.strip()] if note.strip() else [],
        counts={"date": sent_on.strip() or None, "time": sent_at.strip() or None},
        segment=segment,
        position=position,
    )


def read(transaction: Transaction, body: list[str], separators: Separators, padded: bool) -> None:
    """Fill the transaction's acknowledgements and problems from its segments, ST to SE."""
    reader = _Reader(transaction, separators)
    for reader.position, reader.segment in enumerate(body, transaction.position):
        fields = reader.segment.split(separators.element)
        handle, most = _HANDLERS.get(fields[0].strip().upper(), (None, 0))
        if handle is None:
            reader.keep("unknown_segment")
            continue
        handle(reader, [*(field.strip() if padded else field for field in fields), *_PAD])
        if any(fields[most + 1 :]):
            reader.keep("extra_elements")


class _Reader:
    def __init__(self, transaction: Transaction, separators: Separators) -> None:
        self.transaction = transaction
        self.separators = separators
        self.group: Acknowledgement | None = None
        self.answer: TransactionAnswer | None = None
        self.fault: SegmentError | None = None
        self.element: ElementError | None = None
        self.position = 0
        self.segment = ""

    def keep(self, code: str) -> None:
        self.transaction.other.append(Raw(self.segment, self.position))
        self.report(code)

    def report(self, code: str, detail: str | None = None) -> None:
        self.transaction.problems.append(Problem(code, self.position, detail or codes.PROBLEMS[code]))

    def envelope(self, _fields: list[str]) -> None:
        """ST and SE, read by the envelope."""

    def ak1(self, fields: list[str]) -> None:
        self.group = self._group(fields[1] or None, fields[2], fields[3] or None)

    def _group(self, group: str | None, number: str, version: str | None) -> Acknowledgement:
        kind = self.transaction.kind
        opened = Acknowledgement(kind, group, number, version, None, [], {}, self.segment, self.position)
        self.transaction.acknowledgements.append(opened)
        self.answer = self.fault = self.element = None
        return opened

    def ak2(self, fields: list[str]) -> None:
        self._open_answer(fields[1], fields[2], fields[3] or None)

    def _open_answer(self, kind: str, number: str, version: str | None) -> TransactionAnswer:
        if self.group is None:
            self.report("missing_loop", "No AK1 opens the group acknowledged")
            self.group = self._group(None, "", None)
        self.answer = TransactionAnswer(kind, number, version, None, [], self.position)
        self.group.transactions.append(self.answer)
        self.fault = self.element = None
        return self.answer

    def _answer(self) -> TransactionAnswer:
        if self.answer is None:
            self.report("missing_loop", "No AK2 opens the transaction acknowledged")
            return self._open_answer("", "", None)
        return self.answer

    def segment_error(self, fields: list[str]) -> None:
        """IK3 or AK3."""
        answer = self._answer()
        self.fault = SegmentError(
            fields[1], fields[2], fields[3] or None, self._code("segment", fields[4]), [], self.position
        )
        self.element = None
        answer.errors.append(self.fault)

    def context(self, _fields: list[str]) -> None:
        """CTX: the situation or business unit that the error just named stands in; all of it as sent."""
        holder = self.element or self.fault
        said = self.segment.partition(self.separators.element)[2]
        if holder is None or not said:
            self.keep("unexpected_segment")
        else:
            holder.context.append(said)

    def element_error(self, fields: list[str]) -> None:
        """IK4 or AK4."""
        fault = self.fault or self._unnamed_segment()
        self.element = ElementError(
            fields[1], fields[2] or None, self._code("element", fields[3]), fields[4] or None, [], self.position
        )
        fault.elements.append(self.element)

    def _unnamed_segment(self) -> SegmentError:
        answer = self._answer()
        self.report("missing_loop", "No IK3 names the segment of this element")
        self.fault = SegmentError("", "", None, None, [], self.position)
        answer.errors.append(self.fault)
        return self.fault

    def verdict(self, fields: list[str]) -> None:
        """IK5 or AK5."""
        answer = self._answer()
        answer.status = self._code("status", fields[1])
        answer.codes.extend(code for code in fields[2:7] if self._code("transaction", code))
        self.answer = self.fault = self.element = None

    def ak9(self, fields: list[str]) -> None:
        group = self.group or self._group(None, "", None)
        group.status = self._code("status", fields[1])
        group.counts = {
            "included": fields[2] or None,
            "received": fields[3] or None,
            "accepted": fields[4] or None,
        }
        group.codes.extend(code for code in fields[5:10] if self._code("group", code))
        self.group = self.answer = self.fault = self.element = None

    def _code(self, element: str, code: str) -> str | None:
        if code and (element, code) not in codes.ACKNOWLEDGEMENTS:
            self.report("unknown_code")
        return code or None


_HANDLERS: dict[str, tuple[Callable[[_Reader, list[str]], None], int]] = {
    "ST": (_Reader.envelope, 3),
    "SE": (_Reader.envelope, 2),
    "AK1": (_Reader.ak1, 3),
    "AK2": (_Reader.ak2, 3),
    "IK3": (_Reader.segment_error, 4),
    "AK3": (_Reader.segment_error, 4),
    "CTX": (_Reader.context, 10),
    "IK4": (_Reader.element_error, 4),
    "AK4": (_Reader.element_error, 4),
    "IK5": (_Reader.verdict, 6),
    "AK5": (_Reader.verdict, 6),
    "AK9": (_Reader.ak9, 9),
}
"""Who reads a segment, and how many elements it has."""
