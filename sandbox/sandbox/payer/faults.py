"""What is wrong with a question's shape, and the TA1 or 999 that says so."""

from dataclasses import dataclass

from sandbox.payer import x12
from sandbox.payer.x12 import Interchange, Segment, Stamp

VERSION = "005010X279A1"
ACKNOWLEDGEMENT_VERSION = "005010X231A1"

_REQUIRED: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("BHT", 0, ()),
    ("HL", 3, ("20",)),
    ("NM1", 1, ("PR", "2B", "36", "GP", "P5")),
    ("HL", 3, ("21",)),
    ("HL", 3, ("22",)),
    ("NM1", 1, ("IL",)),
    ("EQ", 0, ()),
)
"""Segment, element and the codes of which that element must hold one, if it must."""


@dataclass(frozen=True, slots=True)
class InterchangeFault:
    """A TA105 note code: 001 control numbers differ, 021 number of groups, 023 ends too soon, 024 no content."""

    note: str


@dataclass(frozen=True, slots=True)
class TransactionFault:
    """Why a 270 is refused: IK502, and where one segment is to blame, IK301, IK302 and IK304."""

    code: str
    segment: str = ""
    position: int = 0
    segment_code: str = ""


def find(asked: Interchange) -> InterchangeFault | TransactionFault | None:
    """The first fault of the envelope, then of the transaction; None when it can be judged on its merits."""
    return _interchange_fault(asked) or _transaction_fault(asked)


def _interchange_fault(asked: Interchange) -> InterchangeFault | None:
    groups = sum(segment.id == "GS" for segment in asked.segments)
    if not groups:
        return InterchangeFault("024")
    iea = asked.segments[-1]
    if iea.id != "IEA":
        return InterchangeFault("023")
    if iea[2] != asked.control_number:
        return InterchangeFault("001")
    return InterchangeFault("021") if iea[1] != str(groups) else None


def _transaction_fault(asked: Interchange) -> TransactionFault | None:
    ids = [segment.id for segment in asked.segments]
    st, se = asked.first("ST"), asked.first("SE")
    if st[1] != "270" or asked.first("GS")[8] != VERSION:
        return TransactionFault("6")
    if "SE" not in ids:
        return TransactionFault("2")
    if se[2] != st[2]:
        return TransactionFault("3")
    body = asked.segments[ids.index("ST") : ids.index("SE") + 1]
    if se[1] != str(len(body)):
        return TransactionFault("4")
    return _missing_segment(body)


def _missing_segment(body: tuple[Segment, ...]) -> TransactionFault | None:
    """The first segment that 005010X279A1 requires and `body` lacks."""
    for segment_id, element, accepted in _REQUIRED:
        if not any(s.id == segment_id and (not accepted or s[element] in accepted) for s in body):
            return TransactionFault("5", segment_id, len(body), "3")
    return None


def in_the_question(asked: Interchange) -> TransactionFault:
    """The fault of an EQ whose elements the payer will not have, whatever they are."""
    ids = [segment.id for segment in asked.segments]
    return TransactionFault("5", "EQ", ids.index("EQ") - ids.index("ST") + 1, "8")


def refuse_interchange(asked: Interchange, fault: InterchangeFault, stamp: Stamp) -> str:
    """A TA1 alone in its interchange, without a group."""
    isa = asked.isa
    segments = [
        ("TA1", asked.control_number, isa[9], isa[10], "R", fault.note),
        ("IEA", "0", f"{stamp.control_number:09d}"),
    ]
    return x12.reply_isa(asked, stamp) + x12.render(asked.separators, segments)


def refuse_transaction(asked: Interchange, fault: TransactionFault, stamp: Stamp) -> str:
    """A 999 that rejects the whole group, which holds one transaction."""
    gs, st = asked.first("GS"), asked.first("ST")
    blamed = [("IK3", fault.segment, str(fault.position), "", fault.segment_code)] if fault.segment else []
    body = [
        ("AK1", gs[1], gs[6], gs[8]),
        ("AK2", st[1] or "270", st[2] or "0001", st[3] or gs[8]),
        *blamed,
        ("IK5", "R", fault.code),
        ("AK9", "R", "1", "1", "0"),
    ]
    return x12.reply(asked, stamp, "999", ACKNOWLEDGEMENT_VERSION, body)
