"""Telling the words that announce a value from the values themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from intake.cards.model import Area, TextBox
from intake.cards.vocabulary import Strength, phrases

_BARE_GROUP = re.compile(r"(?:grp|group|gr|gp)\s*(?:no|number|#|id)?[.:#]*", re.IGNORECASE)

_REMARK = re.compile(r"\s*\([^)\d]{2,30}\)")
_TRANSLATED = re.compile(r"\s*/[^\d:$]{0,12}")
_AND = re.compile(r"\s*(?:/|\+|&|-|and|with|w/|\(?incl[a-z.]*)?\s*", re.IGNORECASE)

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
        spans = _whole(box.text, label_spans(box.text))
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


def _whole(text: str, spans: Sequence[Span]) -> list[Span]:
    """Labels with what belongs to them: translations, parts of the same number, remarks in brackets."""
    merged: list[Span] = []
    for start, end, meanings in spans:
        remark = _REMARK.match(text, end)
        end = remark.end() if remark else end
        together = _together(merged[-1][2], text[merged[-1][1] : start], meanings) if merged else None
        if merged and together is not None:
            merged[-1] = (merged[-1][0], end, together)
        elif not merged or start >= merged[-1][1]:
            merged.append((start, end, meanings))
    return merged


def _together(first: Meanings, between: str, second: Meanings) -> Meanings | None:
    """What two labels mean that are one: "Name / Nombre", "Member ID/Suffix"; None if they are two."""
    kinds = {kind for kind, _ in first}
    if "member_id" in kinds and {kind for kind, _ in second} <= {"suffix", "prefix"} and _AND.fullmatch(between):
        return first
    strong = {kind for kind, strength in (*first, *second) if strength == "strong"}
    if len(strong) <= 1 and _TRANSLATED.fullmatch(between):
        return (*first, *(other for other in second if other[0] not in kinds))
    return None


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
