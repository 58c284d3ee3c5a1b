"""What is read from a card, and the boxes of text that it is read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldName = Literal["payer", "member_id", "group", "holder"]
FIELD_NAMES: tuple[FieldName, ...] = ("payer", "member_id", "group", "holder")


@dataclass(frozen=True, slots=True)
class Area:
    """An upright rectangle in pixels, the origin at the upper left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class TextBox:
    """One line of recognised text, the card upright and level.

    ``certainty`` has the recogniser's probability for each character of ``text``, 0 to 1.
    """

    text: str
    area: Area
    certainty: tuple[float, ...]

    def part(self, start: int, end: int) -> Area:
        """Where characters ``start`` to ``end`` stand, taking all characters as equally wide."""
        step = self.area.width / max(1, len(self.text))
        return Area(self.area.left + start * step, self.area.top, self.area.left + end * step, self.area.bottom)


@dataclass(frozen=True, slots=True)
class ReadField:
    """One field as read: its value and how likely it is to be right, 0 to 1."""

    name: FieldName
    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class CardReading:
    """All that was read. A field that could not be read is absent; an unreadable card has none."""

    fields: tuple[ReadField, ...] = ()

    def value(self, name: FieldName) -> str | None:
        return next((read.value for read in self.fields if read.name == name), None)

    def confidence(self, name: FieldName) -> float:
        return next((read.confidence for read in self.fields if read.name == name), 0.0)

    @property
    def payer(self) -> str | None:
        """The payer's usual name where it is a known one, otherwise as printed."""
        return self.value("payer")

    @property
    def member_id(self) -> str | None:
        """The member number as printed, without spaces; hyphens stay."""
        return self.value("member_id")

    @property
    def group(self) -> str | None:
        return self.value("group")

    @property
    def holder(self) -> str | None:
        return self.value("holder")

    def as_json(self) -> dict[str, object]:
        """The four values, null where unread, and the list of fields with their confidences."""
        values: dict[str, object] = {name: self.value(name) for name in FIELD_NAMES}
        return values | {
            "fields": [{"name": read.name, "value": read.value, "confidence": read.confidence} for read in self.fields]
        }
