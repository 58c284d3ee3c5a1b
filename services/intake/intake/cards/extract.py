"""From boxes of text to what a card says. Pure: the same boxes always give the same reading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from intake.cards import confidence
from intake.cards.labels import Fragment, Label, split
from intake.cards.model import CardReading, FieldName, ReadField, TextBox
from intake.cards.pairing import Pair, joined, pairs
from intake.cards.payers import PayerFound, find_payer, looks_like
from intake.cards.values import identifier
from intake.cards.vocabulary import Payer, Strength

_STRENGTH: dict[Strength, float] = {"strong": 0.0, "fair": 0.5, "weak": 1.2}
_PUBLIC = 0.35
"""How far a public programme's number ranks behind the plan's own, where a card has both."""
MEDICARE_NUMBER = re.compile(
    r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one field may be: its value, how sure, how it ranks (lower first), and the box that it stands in."""

    field: FieldName
    value: str
    confidence: float
    rank: float
    side: int
    box: TextBox | None


def candidates(sides: Sequence[Sequence[TextBox]]) -> list[Candidate]:
    """All candidates for all fields, the best of each field first. ``sides`` is the front and perhaps the back."""
    payer, payer_side = _payer(sides)
    known = payer.known if payer else None
    found: list[Candidate] = []
    for side, recognised in enumerate(sides):
        found += _on_side(side, joined(recognised), known)
    if payer is not None:
        found.append(Candidate("payer", payer.name, payer.confidence, 0.0, payer_side, None))
    return sorted(found, key=lambda candidate: (candidate.rank, candidate.side))


def reading(found: Sequence[Candidate]) -> CardReading:
    """The best candidate of each field; a close rival with another value makes it less sure, a repeat surer."""
    fields: list[ReadField] = []
    for name in ("payer", "member_id", "group", "holder"):
        ranked = [candidate for candidate in found if candidate.field == name]
        if not ranked:
            continue
        best = ranked[0]
        sure = best.confidence
        rivals = [other for other in ranked[1:] if _plain(other.value) != _plain(best.value)]
        if any(other.rank - best.rank < 0.3 for other in rivals):
            sure *= 0.72
        elif any(_plain(other.value) == _plain(best.value) for other in ranked[1:]):
            sure = min(confidence.HIGHEST, sure * 1.03)
        fields.append(ReadField(name, best.value, round(min(confidence.HIGHEST, sure), 3)))
    return CardReading(tuple(fields))


def extract(sides: Sequence[Sequence[TextBox]]) -> CardReading:
    """What a card says, from the upright boxes of its front and perhaps its back."""
    return reading(candidates(sides))


def _payer(sides: Sequence[Sequence[TextBox]]) -> tuple[PayerFound | None, int]:
    """The front's payer; the back's only if the front shows none, since backs name networks and partners."""
    unknown: tuple[PayerFound | None, int] = (None, 0)
    for side, boxes in enumerate(sides):
        payer = find_payer(boxes)
        if payer is not None and payer.known is not None:
            back = replace(payer, confidence=round(payer.confidence * 0.75, 3))
            return (payer if side == 0 else back), side
        if payer is not None and unknown[0] is None:
            unknown = (payer, side)
    return unknown


def _on_side(side: int, boxes: Sequence[TextBox], payer: Payer | None) -> list[Candidate]:
    labels, fragments = split(boxes)
    settled = pairs(labels, fragments)
    prefix = next((pair.value.text for pair in settled if pair.kind == "prefix"), "")
    found = [candidate for pair in settled if (candidate := _from_pair(pair, side, boxes, payer, prefix))]
    taken = {id(pair.fragment) for pair in settled}
    found += _unlabelled(side, boxes, [piece for piece in fragments if id(piece) not in taken], payer, labels)
    return found


def _from_pair(pair: Pair, side: int, boxes: Sequence[TextBox], payer: Payer | None, prefix: str) -> Candidate | None:
    box = boxes[pair.fragment.box]
    rank = _STRENGTH[pair.strength] + max(0.0, pair.cost) * 0.4 + 0.1 * side
    begin = pair.fragment.start + pair.value.start
    certainty = _certainty(box, begin, pair.fragment.start + pair.value.end)
    sure = confidence.of_pair(pair, certainty)
    if pair.kind in ("member_id", "public_number"):
        number, corrected = settled_number(_prefixed(pair.value.text, prefix), payer)
        fits = _fits(number, payer)
        sure *= confidence.of_number(number, lambda other: _fits(other, payer), bool(payer and payer.numbers))
        rank += _PUBLIC if pair.kind == "public_number" else 0.0
        return Candidate("member_id", number, sure * (0.9 if corrected else 1.0), rank - 0.1 * fits, side, box)
    if pair.kind == "group":
        return Candidate("group", pair.value.text, sure, rank, side, box)
    if pair.kind == "holder":
        return Candidate("holder", pair.value.text, sure, rank, side, box)
    return None


def _fits(number: str, payer: Payer | None) -> bool:
    return looks_like(number, payer) or bool(MEDICARE_NUMBER.fullmatch(number))


def _prefixed(number: str, prefix: str) -> str:
    """The number with the letters that the card prints apart, unless it has them or other ones already."""
    return prefix + number if re.fullmatch(r"[A-Z0-9]{3}", prefix) and number[:1].isdigit() else number


def _unlabelled(
    side: int, boxes: Sequence[TextBox], fragments: Sequence[Fragment], payer: Payer | None, labels: Sequence[Label]
) -> list[Candidate]:
    """Numbers that stand alone but have the shape of a Medicare number or of this payer's member numbers."""
    found: list[Candidate] = []
    for fragment in fragments:
        value = identifier(fragment.text)
        if value is None or value.end < 0.6 * len(fragment.text):
            continue
        number, corrected = settled_number(value.text, payer)
        medicare = bool(MEDICARE_NUMBER.fullmatch(number))
        fits = looks_like(number, payer)
        if not medicare and not fits and (len(number) < 8 or labels_named(labels, "member_id", "public_number")):
            continue
        box = boxes[fragment.box]
        certainty = _certainty(box, fragment.start + value.start, fragment.start + value.end)
        sure = (0.9 if medicare else 0.62 if fits else 0.35) * confidence.of_recognition(certainty)
        rank = 0.6 if medicare else 1.5 if fits else 2.5
        found.append(Candidate("member_id", number, sure * (0.9 if corrected else 1.0), rank, side, box))
    return found


def labels_named(found: Sequence[Label], *kinds: str) -> bool:
    """Whether a label on the card names one of the kinds for certain."""
    return any(name in kinds and strength == "strong" for label in found for name, strength in label.meanings)


def settled_number(number: str, payer: Payer | None) -> tuple[str, bool]:
    """A member number with what can only be a misreading set right, and whether anything was.

    A lower-case o or l among capitals and digits is a 0 or a 1, a capital O between two digits a 0, an I a 1.
    Where a position is known to be a digit (Medicare's number), a look-alike letter is that digit.
    """
    settled = number
    if any(character.isdigit() for character in number):
        settled = settled.replace("o", "0").replace("l", "1")
    settled = settled.upper()
    settled = re.sub(r"(?<=\d)O(?=\d)", "0", settled)
    settled = re.sub(r"(?<=\d)I(?=\d)", "1", settled)
    medicare = _as_medicare(settled)
    if medicare and payer is not None and payer.name in ("Medicare", "Railroad Medicare"):
        settled = medicare
    return settled, settled != number.upper()


_DIGIT_FOR = str.maketrans("OQDILZSB", "00011258")


def _as_medicare(number: str) -> str | None:
    """The number as a Medicare number, its digits' look-alikes read as digits; None if it cannot be one.

    Positions 1, 4, 7, 10 and 11 are digits, 2, 5, 8 and 9 letters without S, L, O, I, B and Z, 3 and 6 either.
    """
    plain = number.replace("-", "")
    if len(plain) != 11:
        return None
    read = "".join(
        character.translate(_DIGIT_FOR) if place in (0, 3, 6, 9, 10) else character
        for place, character in enumerate(plain)
    )
    read = f"{read[:4]}-{read[4:7]}-{read[7:]}" if "-" in number else read
    return read if MEDICARE_NUMBER.fullmatch(read) else None


def _certainty(box: TextBox, start: int, end: int) -> tuple[float, ...]:
    return tuple(
        sure for character, sure in zip(box.text[start:end], box.certainty[start:end], strict=False) if character != " "
    )


def _plain(value: str) -> str:
    return re.sub(r"[^a-z0-9]", "", value.casefold())
