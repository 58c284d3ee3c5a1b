"""Which value belongs to which label: by where they stand and by the shape that the label asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from intake.cards.labels import Fragment, Label
from intake.cards.model import Area, TextBox
from intake.cards.values import Value, find_value
from intake.cards.vocabulary import Strength, labels

Direction = Literal["inline", "right", "below", "above"]

# Costs grow with how unusual and how far apart label and value stand; distances count in line heights.
_START: Mapping[Direction, float] = {"inline": -0.3, "right": 0.0, "below": 0.3, "above": 0.8}
_PER_LINE: Mapping[Direction, float] = {"inline": 0.04, "right": 0.05, "below": 0.4, "above": 0.5}
_WEAKNESS: Mapping[Strength, float] = {"strong": 0.0, "fair": 0.15, "weak": 0.7}
_USUAL = 0.7
_WORTH = 1.5
_FARTHEST_RIGHT, _FARTHEST_BELOW, _FARTHEST_ABOVE = 30.0, 2.6, 1.5


@dataclass(frozen=True, slots=True)
class Pair:
    """A label with the value that it announces, and what speaks against it: 0 is what most cards do."""

    kind: str
    strength: Strength
    direction: Direction
    cost: float
    label: Label
    fragment: Fragment
    value: Value


def pairs(found: Sequence[Label], fragments: Sequence[Fragment]) -> list[Pair]:
    """Every label paired with at most one value and every value with at most one label, the likeliest first.

    Cards place their values in one way throughout. So each way is tried as the usual one, in which it costs less,
    and the one that explains the most of the card at the least cost is taken.
    """
    possible = list(_possible(found, fragments))
    ways: tuple[Direction, ...] = ("right", "below", "above")
    return max((_settled(possible, way) for way in ways), key=_explained)[0]


def _explained(settled: tuple[list[Pair], float]) -> float:
    """How much of the card an arrangement explains: a pair is worth more, the less it costs."""
    pairs, cost = settled
    return _WORTH * len(pairs) - cost


def _possible(found: Sequence[Label], fragments: Sequence[Fragment]) -> Iterable[Pair]:
    kinds = labels().kinds
    for label in found:
        near = [
            (fragment, *placed) for fragment in fragments if (placed := _placed(label, fragment, found)) is not None
        ]
        for kind, strength in label.meanings:
            for fragment, direction, distance in near:
                value = find_value(kinds[kind].value, fragment.text)
                if value is None:
                    continue
                # A value that begins later in the text is less surely this label's own.
                late = 0.25 if value.start > 6 else 0.0
                vague = 0.3 if kinds[kind].value == "any" else 0.0
                cost = _START[direction] + _PER_LINE[direction] * distance + _WEAKNESS[strength] + late + vague
                yield Pair(kind, strength, direction, cost, label, fragment, value)


def _settled(possible: Sequence[Pair], usual: Direction) -> tuple[list[Pair], float]:
    """The cheapest pairs first where values usually stand in that direction, and what all of them cost together."""

    def cost(pair: Pair) -> float:
        return pair.cost - (_USUAL if pair.direction == usual else 0.0)

    labels_taken: set[int] = set()
    values_taken: set[int] = set()
    settled: list[Pair] = []
    for pair in sorted(possible, key=cost):
        if id(pair.label) in labels_taken or id(pair.fragment) in values_taken:
            continue
        labels_taken.add(id(pair.label))
        values_taken.add(id(pair.fragment))
        settled.append(pair)
    return settled, sum(map(cost, settled))


def _placed(label: Label, fragment: Fragment, others: Sequence[Label]) -> tuple[Direction, float] | None:
    """In which direction the value stands from its label, and how many line heights away; None if too far."""
    here, there = label.area, fragment.area
    line = max(1.0, (here.height + there.height) / 2)
    if label.box == fragment.box:
        gap = (there.left - here.right) / line
        return None if gap < -0.6 else ("inline", max(0.0, gap))
    if _overlap(here.top, here.bottom, there.top, there.bottom) >= 0.45:
        gap = (there.left - here.right) / line
        if -0.6 <= gap <= _FARTHEST_RIGHT and not _between(label, fragment, others):
            return ("right", max(0.0, gap))
        return None
    aligned = min(abs(here.left - there.left), abs(_middle(here) - _middle(there))) / line
    if aligned > 2.5 and _overlap(here.left, here.right, there.left, there.right) < 0.5:
        return None
    below = (there.top - here.bottom) / line
    if -0.5 <= below <= _FARTHEST_BELOW:
        return ("below", max(0.0, below) + 0.12 * aligned)
    above = (here.top - there.bottom) / line
    if -0.5 <= above <= _FARTHEST_ABOVE:
        return ("above", max(0.0, above) + 0.12 * aligned)
    return None


def _between(label: Label, fragment: Fragment, others: Sequence[Label]) -> bool:
    """Whether another label on the same line stands nearer to the value."""
    return any(
        other is not label
        and _overlap(other.area.top, other.area.bottom, label.area.top, label.area.bottom) >= 0.45
        and label.area.right - label.area.height <= other.area.left < fragment.area.left
        for other in others
    )


def _overlap(start: float, end: float, other_start: float, other_end: float) -> float:
    """Share of the shorter stretch that lies within the longer one."""
    shared = min(end, other_end) - max(start, other_start)
    return max(0.0, shared) / max(1e-6, min(end - start, other_end - other_start))


def _middle(area: Area) -> float:
    return (area.left + area.right) / 2


def joined(boxes: Sequence[TextBox]) -> list[TextBox]:
    """Boxes of one line that stand close together and of which both hold only blocks of a number, as one.

    ``W1234`` and ``56789`` printed with a wide gap are one number, a label and its number are not. So are words
    that stand as close together as those of a name or a label do.
    """
    merged: list[TextBox] = []
    for box in sorted(boxes, key=lambda box: (box.area.top, box.area.left)):
        neighbour = next(
            (index for index, other in enumerate(merged) if _one_number(other, box) or _one_phrase(other, box)), None
        )
        if neighbour is None:
            merged.append(box)
            continue
        left, right = sorted((merged[neighbour], box), key=lambda part: part.area.left)
        area = Area(
            left.area.left,
            min(left.area.top, right.area.top),
            right.area.right,
            max(left.area.bottom, right.area.bottom),
        )
        merged[neighbour] = TextBox(f"{left.text} {right.text}", area, (*left.certainty, 1.0, *right.certainty))
    return merged


def _one_phrase(one: TextBox, other: TextBox) -> bool:
    left, right = sorted((one, other), key=lambda box: box.area.left)
    line = (left.area.height + right.area.height) / 2
    return (
        all(re.fullmatch(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’,. -]*", box.text) for box in (left, right))
        and -0.5 * line <= right.area.left - left.area.right <= (1.0 if left.text.endswith(",") else 0.45) * line
        and abs(left.area.height - right.area.height) <= 0.3 * line
        and _overlap(left.area.top, left.area.bottom, right.area.top, right.area.bottom) >= 0.7
    )


def _one_number(one: TextBox, other: TextBox) -> bool:
    left, right = sorted((one, other), key=lambda box: box.area.left)
    gap = right.area.left - left.area.right
    line = (left.area.height + right.area.height) / 2
    prefix = re.fullmatch(r"[A-Z]{3}", left.text) and re.fullmatch(r"[\d ]{8,}", right.text)
    return (
        -0.5 * line <= gap <= (2.0 if prefix else 0.9) * line
        and _overlap(left.area.top, left.area.bottom, right.area.top, right.area.bottom) >= 0.7
        and all(len(box.text) <= 12 and box.text.replace("-", "").isalnum() for box in (left, right))
        and any(character.isdigit() for character in left.text) | (left.text.isupper() and len(left.text) <= 4)
        and sum(character.isdigit() for character in right.text) >= 2
        and right.text.upper() == right.text
    )
