"""Just enough X12 for a payer: an interchange into segments, segments into an interchange.

Written apart from the clinic's own reader, so that neither can hide the other's mistakes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

ISA_LENGTH = 106
"""The ISA is of fixed width, its segment terminator included (X12.5)."""

ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)

GROUP_CODES = {"270": "HS", "271": "HB", "999": "FA"}


class NotX12(ValueError):
    """What came cannot be answered in X12, for want of a readable ISA."""


@lru_cache(maxsize=4096)
def _clean(text: str, reserved: str) -> str:
    kept = (c if c.isascii() and c.isprintable() and c not in reserved else " " for c in text.upper())
    return " ".join("".join(kept).split())


@dataclass(frozen=True, slots=True)
class Separators:
    element: str = "*"
    repetition: str = "^"
    component: str = ":"
    segment: str = "~"

    def clean(self, text: str) -> str:
        """`text` as an element's value: upper case, X12's extended set's quiet part, no separators."""
        return _clean(text, self.element + self.repetition + self.component + self.segment)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: `segment[0]` is its id and `segment[n]` element n, empty where absent."""

    elements: tuple[str, ...] = ("",)

    def __getitem__(self, index: int) -> str:
        return self.elements[index] if index < len(self.elements) else ""

    @property
    def id(self) -> str:
        return self.elements[0]


@dataclass(frozen=True, slots=True)
class Interchange:
    separators: Separators
    isa: Segment
    segments: tuple[Segment, ...]
    """All after the ISA, the IEA included."""

    @property
    def control_number(self) -> str:
        return self.isa[13]

    def first(self, segment_id: str) -> Segment:
        """The first segment of that id; an empty one where there is none."""
        return next((s for s in self.segments if s.id == segment_id), Segment())


def read(text: str) -> Interchange:
    """Split one interchange. Raises NotX12 if its ISA is not the 106 characters that it must be."""
    text = text.lstrip("\ufeff \r\n\t")
    if not text.startswith("ISA") or len(text) < ISA_LENGTH:
        raise NotX12("the payload does not begin with an ISA segment of 106 characters")
    element, component, terminator = text[3], text[104], text[105]
    isa = Segment(tuple(text[: ISA_LENGTH - 1].split(element)))
    if tuple(len(value) for value in isa.elements[1:]) != ISA_WIDTHS:
        raise NotX12("the ISA segment's elements are not of their fixed widths")
    separators = Separators(element, isa[11], component, terminator)
    body = (part.strip("\r\n") for part in text[ISA_LENGTH:].split(terminator))
    return Interchange(separators, isa, tuple(Segment(tuple(part.split(element))) for part in body if part.strip()))


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the payer writes on an interchange of its own: its numbers and the time."""

    control_number: int
    at: datetime

    @property
    def date(self) -> str:
        return f"{self.at.year:04}{self.at.month:02}{self.at.day:02}"

    @property
    def time(self) -> str:
        return f"{self.at.hour:02}{self.at.minute:02}"


def render(separators: Separators, segments: Iterable[Sequence[str]]) -> str:
    """Segments as text, without trailing empty elements."""
    lines: list[str] = []
    for segment in segments:
        elements = list(segment)
        while elements and not elements[-1]:
            elements.pop()
        lines.append(separators.element.join(elements) + separators.segment)
    return "".join(lines)


def reply_isa(asked: Interchange, stamp: Stamp) -> str:
    """The ISA of an answer: sender and receiver change places, usage (ISA15) stays."""
    isa, separators = asked.isa, asked.separators
    values = (
        *("00", " " * 10, "00", " " * 10),
        *(isa[7], isa[8], isa[5], isa[6]),
        *(stamp.date[2:], stamp.time, separators.repetition, "00501"),
        *(f"{stamp.control_number:09d}", "0", isa[15], separators.component),
    )
    return separators.element.join(("ISA", *values)) + separators.segment


def reply(asked: Interchange, stamp: Stamp, transaction: str, version: str, body: Sequence[Sequence[str]]) -> str:
    """A whole interchange that answers `asked`: one group with one transaction, counted and numbered.

    `body` is what stands between ST and SE; `transaction` is ST01 and `version` GS08.
    """
    gs = asked.first("GS")
    group = str(stamp.control_number)
    segments = [
        ("GS", GROUP_CODES[transaction], gs[3], gs[2], stamp.date, stamp.time, group, "X", version),
        ("ST", transaction, "0001", version),
        *body,
        ("SE", str(len(body) + 2), "0001"),
        ("GE", "1", group),
        ("IEA", "1", f"{stamp.control_number:09d}"),
    ]
    return reply_isa(asked, stamp) + render(asked.separators, segments)
