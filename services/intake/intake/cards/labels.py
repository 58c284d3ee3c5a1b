"""Telling the words that announce a value from the values themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from intake.cards.model import Area, TextBox
from intake.cards.vocabulary import Strength, phrases

_BARE_GROUP = re.compile(r"(?:grp|group|gr|gp)\s*(?:no|number|#|id)?[.:#]*", re.IGNORECASE)


Meanings = tuple[tuple[str, Strength], ...]
Span = tuple[int, int, Meanings]
"""Where a label begins and ends in a text, and what it may mean."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label on the card: every (kind, strength) that its words may mean, and where it stands."""

    meanings: Meanings
    area: Area
    box: int
    text: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """Text between labels, where values are: characters ``start`` onward of the box that it is in."""

    text: str
    area: Area
    box: int
    start: int


def split(boxes: Sequence[TextBox]) -> tuple[list[Label], list[Fragment]]:
    """All labels and all fragments, in the boxes' order."""
    found: list[Label] = []
    rest: list[Fragment] = []
    for index, box in enumerate(boxes):
        spans = _said_twice(box.text, label_spans(box.text))
        found += [Label(meanings, box.part(start, end), index, box.text[start:end]) for start, end, meanings in spans]
        begins = [0, *(end for _, end, _ in spans)]
        ends = [*(start for start, _, _ in spans), len(box.text)]
        for start, end in zip(begins, ends, strict=True):
            text = box.text[start:end]
            if any(character.isalnum() for character in text):
                lead = len(text) - len(text.lstrip(" :#.,;="))
                rest.append(Fragment(text[lead:], box.part(start + lead, end), index, start + lead))
    return [_of_pharmacy(label, found) for label in found], rest


def _of_pharmacy(label: Label, others: Sequence[Label]) -> Label:
    """A bare "GRP" or "Group" that follows BIN and PCN, on their line or under them, is the pharmacy's group."""
    if not any(kind == "group" for kind, _ in label.meanings) or not _BARE_GROUP.fullmatch(label.text):
        return label
    line = label.area.height
    for other in others:
        if not any(kind in ("rx_bin", "rx_pcn") for kind, _ in other.meanings):
            continue
        here, there = label.area, other.area
        before = abs(there.top - here.top) < 0.6 * line and 0 < here.left - there.left < 25 * line
        above = 0 < here.top - there.top < 3.2 * line and abs(here.left - there.left) < 1.5 * line
        if before or above:
            return replace(label, meanings=(("rx_group", "strong"),))
    return label


def _said_twice(text: str, spans: Sequence[Span]) -> list[Span]:
    """A label and its translation after a slash, "Name / Nombre:", as one; two labels of different kinds stay two."""
    merged: list[Span] = []
    for start, end, meanings in spans:
        if merged:
            begun, ended, before = merged[-1]
            strong = {kind for kind, strength in (*before, *meanings) if strength == "strong"}
            if re.fullmatch(r"\s*/[^\d:$]{0,12}", text[ended:start]) and len(strong) <= 1:
                known = {kind for kind, _ in before}
                merged[-1] = (begun, end, (*before, *(other for other in meanings if other[0] not in known)))
                continue
        merged.append((start, end, meanings))
    return merged


def label_spans(text: str) -> list[Span]:
    """Where labels stand in a text: the longest wording first, none overlapping another, left to right."""
    taken: list[Span] = []
    for phrase in phrases():
        for match in phrase.pattern.finditer(text):
            start, end = match.span()
            if all(end <= begun or start >= ended for begun, ended, _ in taken) and _stands_as_label(text, start, end):
                taken.append((start, end, phrase.meanings))
    return sorted(taken)


def _stands_as_label(text: str, start: int, end: int) -> bool:
    """A label begins its line, follows another value after a gap, or is followed by a colon; else it is prose."""
    before, after = text[:start], text[end : end + 2]
    if not before.strip() or not text[end:].strip():
        return True
    if after.lstrip()[:1] in (":", "#") or text[end - 1] in ":#":
        return True
    # "Your member ID 0173077380"
    if re.match(r"[\s:]*[A-Z]{0,4} ?\d{6}", text[end:]) and len(before.split()) <= 2:
        return True
    # "RxBIN 610502 RxPCN ADV RxGRP RX1234": a value with a digit or all in capitals stands before it.
    word = before.split()[-1]
    return (
        before.endswith("  ")
        or any(character.isdigit() for character in word)
        or (word.isupper() and len(word) > 1)
        or before.rstrip()[-1] in "/|·•,;"
    )
