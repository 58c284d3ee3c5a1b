"""Which payer a card is from, by its words, however they are spaced, broken over lines or misread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rapidfuzz import fuzz, process

from intake.cards.model import Area, TextBox
from intake.cards.vocabulary import Payer, payers

_NEAR = 88.0
_PLACE = re.compile(r"\s*\bof\s+((?:the\s+)?(?:[A-Z][A-Za-z.]*)(?:\s+(?:and\s+)?[A-Z][A-Za-z.]*){0,3})", re.IGNORECASE)
_OF_ANOTHER_KIND = re.compile(
    r"provider|claims?\b|submit|mail|call|visit|contract|local|participat|pharmac|\bplan\(s\)|underwritten|administ",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PayerFound:
    """A payer found on a card: the name to report, its entry if it is a known one, and how sure, 0 to 1."""

    name: str
    known: Payer | None
    confidence: float


def find_payer(boxes: Sequence[TextBox]) -> PayerFound | None:
    """The payer that the card shows most plainly: by closeness of the wording, size of its print and place."""
    if not boxes:
        return None
    tallest = max(box.area.height for box in boxes)
    lowest = max(box.area.bottom for box in boxes)
    best: tuple[float, PayerFound] | None = None
    for text, area in _texts(boxes):
        for entry, wording in _wordings():
            closeness, end = _closeness(wording, text)
            if closeness < _NEAR:
                continue
            weight = _weight(text, wording, area, tallest, lowest, entry) * (closeness / 100) ** 2
            if best is None or weight > best[0]:
                confidence = min(0.97, 0.45 + 0.5 * min(1.0, weight / 1.6)) * (closeness / 100) ** 2
                best = (weight, PayerFound(_name(entry, text, end), entry, round(confidence, 3)))
    if best is not None and best[0] > 0.35:
        return best[1]
    return _unknown(boxes, tallest, lowest)


def looks_like(number: str, known: Payer | None) -> bool:
    """Whether a member number has one of the shapes that this payer gives out."""
    return known is not None and any(re.fullmatch(shape, number) for shape in known.numbers)


def _weight(text: str, wording: str, area: Area, tallest: float, lowest: float, entry: Payer) -> float:
    size = area.height / tallest
    height_on_card = 1 - (area.top / lowest if lowest else 0)
    alone = min(1.0, len(wording) / max(1, len(text.strip())))
    weight = 0.25 + size + 0.35 * height_on_card + 0.35 * alone + 0.01 * min(len(wording), 30)
    if _OF_ANOTHER_KIND.search(text):
        weight *= 0.4
    if entry.network:
        weight *= 0.3
    if entry.name == "Medicare" and "HEALTH INSURANCE" not in text.upper():
        # "A Medicare Health Plan" stands on the cards of many payers.
        weight *= 0.35
    return weight


def _closeness(wording: str, text: str) -> tuple[float, int]:
    """How nearly the text holds the wording, 0 to 100, and where the wording ends in it.

    Short wordings must stand as words of their own; longer ones may be misread by a letter or lose their spaces.
    """
    exact = re.search(rf"(?<![A-Za-z]){re.escape(wording)}(?![A-Za-z])", text, re.IGNORECASE)
    if exact:
        return 100.0, exact.end()
    if "-" in wording or re.search(rf"\b{re.escape(wording)}[a-z]", text):
        # "Medical" is neither "Medi-Cal" nor "Medica".
        return 0.0, 0
    squashed, needle = re.sub(r"[^a-z0-9]", "", text.casefold()), re.sub(r"[^a-z0-9]", "", wording.casefold())
    if len(needle) < 5 or len(squashed) < len(needle) - 1:
        return 0.0, 0
    if needle in squashed and (len(needle) >= 7 or squashed.startswith(needle)):
        return 99.0, len(text)
    if len(needle) < 6:
        return 0.0, 0
    return fuzz.partial_ratio(needle, squashed) - 1.0, len(text)


def _name(entry: Payer, text: str, end: int) -> str:
    if entry.regional:
        place = _PLACE.match(text, end) or _PLACE.search(text)
        if place:
            return f"{entry.name} of {_place(place[1])}"
    if entry.prefixed:
        before = text[: text.casefold().find(entry.name.casefold())].strip()
        if re.fullmatch(r"[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)?", before):
            return f"{_capitalised(before)} {entry.name}"
    return entry.name


def _place(words: str) -> str:
    """The place as printed, or the known place that it is a misreading of."""
    nearest = process.extractOne(words, payers().places, scorer=fuzz.ratio, processor=str.casefold, score_cutoff=80)
    return nearest[0] if nearest else _capitalised(words)


def _capitalised(words: str) -> str:
    return words.title() if words.isupper() or words.islower() else words


def _unknown(boxes: Sequence[TextBox], tallest: float, lowest: float) -> PayerFound | None:
    """The largest words in the upper part that sound like an insurer, as printed."""
    sounding = payers().organisation_words
    named = [
        box
        for box in boxes
        if any(re.search(rf"\b{word}\b", box.text, re.IGNORECASE) for word in sounding)
        and 5 <= len(box.text) <= 45
        and ":" not in box.text
        and not any(character.isdigit() for character in box.text)
        and not _OF_ANOTHER_KIND.search(box.text)
        and box.area.top < 0.5 * lowest
        and box.area.height > 0.6 * tallest
    ]
    if not named:
        return None
    return PayerFound(max(named, key=lambda box: box.area.height).text.strip(), None, 0.55)


def _texts(boxes: Sequence[TextBox]) -> list[tuple[str, Area]]:
    """Each line by itself, and lines of a like size that stand under or beside one another, as one."""
    texts = [(box.text, box.area) for box in boxes]
    for upper in boxes:
        for other in boxes:
            line = max(upper.area.height, other.area.height)
            if upper is other or min(upper.area.height, other.area.height) < 0.55 * line:
                continue
            under = -0.4 <= (other.area.top - upper.area.bottom) / line <= 0.8 and (
                abs(other.area.left - upper.area.left) < 3 * line
            )
            beside = abs(other.area.top - upper.area.top) < 0.5 * line and (
                -0.3 <= (other.area.left - upper.area.right) / line <= 1.5
            )
            if (under or beside) and len(upper.text) + len(other.text) <= 60:
                area = Area(
                    min(upper.area.left, other.area.left), upper.area.top,
                    max(upper.area.right, other.area.right), upper.area.top + line,
                )  # fmt: skip
                texts.append((f"{upper.text} {other.text}", area))
    return texts


@cache
def _wordings() -> tuple[tuple[Payer, str], ...]:
    return tuple((entry, wording) for entry in payers().payers for wording in (entry.name, *entry.also))
