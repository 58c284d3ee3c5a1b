"""Names of people as payers compare them: parts told apart, accents and case set aside. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from anyascii import anyascii
from rapidfuzz import fuzz

_SUFFIXES = {"jr": "JR", "sr": "SR", "ii": "II", "iii": "III", "iv": "IV"}
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof"})
_BEFORE_A_LAST_NAME = frozenset(
    "de del della di da do dos la le van von der den ter el al bin st".split()  # noqa: SIM905  (one line reads better)
)

MISREAD_FROM = 85
"""Likeness (0 to 100) from which two spellings may be one name, one of them misread from a card."""


class Likeness(StrEnum):
    """How two names compare."""

    SAME = "same"
    """One person's, as people and payers write names."""
    ALIKE = "alike"
    """One may be a misreading of the other, or they are brothers: something else has to tell."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in the parts that X12 has places for, in capitals without accents."""

    last: str
    first: str | None = None
    middle: str | None = None
    suffix: str | None = None


def split_name(name: str) -> PersonName | None:
    """Tell the parts of a name as a person writes it: "First Middle Last Jr." or "Last, First Middle".

    None where no letter is left. Guesses only where a name has more than two parts: what stands in the middle belongs
    to the last name if a particle ("van", "de la") opens it.
    """
    before, comma, after = anyascii(name).partition(",")
    if comma and (after_parts := _parts(after)) and not _is_suffix(after_parts[0]):
        given, suffix = _without_suffix(after_parts)
        family, other = _without_suffix(_parts(before))
        return _name(" ".join(family), given, suffix or other)
    parts, suffix = _without_suffix(_parts(f"{before} {after}"))
    if parts and parts[0].lower() in _TITLES and len(parts) > 1:
        parts = parts[1:]
    start = next((at for at, part in enumerate(parts) if at and part.lower() in _BEFORE_A_LAST_NAME), len(parts) - 1)
    return _name(" ".join(parts[start:]), parts[:start], suffix) if parts else None


def _parts(text: str) -> list[str]:
    return re.findall(r"[A-Za-z][A-Za-z'\-]*", text)


def _is_suffix(part: str) -> bool:
    return part.lower() in _SUFFIXES


def _without_suffix(parts: list[str]) -> tuple[list[str], str | None]:
    if len(parts) > 1 and _is_suffix(parts[-1]):
        return parts[:-1], _SUFFIXES[parts[-1].lower()]
    return parts, None


def _name(last: str, given: list[str], suffix: str | None) -> PersonName | None:
    if not last:
        return None
    first, *middle = [part.upper() for part in given] or [None]
    joined = " ".join(part for part in middle if part)
    return PersonName(last.upper()[:60], first[:35] if first else None, joined[:25] or None, suffix)


def compare(ours: str, theirs: str) -> Likeness:
    """Whether two names may be one person's: payers drop middle names, shorten first names and join double names.

    SAME: the last names share a part, the first names begin alike where both are known, and no suffix contradicts.
    ALIKE: the whole differs by no more than a misreading: "Ellen Ward" and "Ellen Wards", but "Eric" and "Erin" too.
    """
    one, other = split_name(ours), split_name(theirs)
    if one is None or other is None or (one.suffix and other.suffix and one.suffix != other.suffix):
        return Likeness.OTHER
    if (
        one == other
        or (_family_parts(one) & _family_parts(other) and _begin_alike(one, other))
        or _turned_round(one, other)
    ):
        return Likeness.SAME
    likeness = fuzz.token_sort_ratio(_whole(one), _whole(other))
    return Likeness.ALIKE if likeness >= MISREAD_FROM else Likeness.OTHER


def same_person(ours: str, theirs: str) -> bool:
    """Whether two names may be one person's, a misreading included."""
    return compare(ours, theirs) is not Likeness.OTHER


def _whole(name: PersonName) -> str:
    return " ".join(_folded(part) for part in (name.first, name.last) if part)


def _folded(part: str) -> str:
    """Letters alone, umlauts written either way as one: O'BRIEN is OBRIEN, MUELLER is MULLER."""
    return re.sub(r"([AOU])E", r"\1", re.sub(r"[^A-Z ]", "", part))


def _family_parts(name: PersonName) -> set[str]:
    """What may stand for the last name: of "Maria García López" a payer may keep either."""
    words = f"{name.middle or ''} {name.last}".replace("-", " ").split()
    return {_folded(word) for word in words if word.lower() not in _BEFORE_A_LAST_NAME and len(word) > 1}


def _begin_alike(one: PersonName, other: PersonName) -> bool:
    if not one.first or not other.first:
        return True
    shorter, longer = sorted((_folded(one.first), _folded(other.first)), key=len)
    return longer.startswith(shorter)


def _turned_round(one: PersonName, other: PersonName) -> bool:
    """The same words in another order: "Li Wei" and "Wei, Li"."""
    return bool(one.first) and sorted(_whole(one).split()) == sorted(_whole(other).split())


def same_member(ours: str, theirs: str) -> bool:
    """Whether two member numbers are one: apart from blanks and dashes, one may carry a person's two- or three-digit
    suffix that the other leaves out."""
    shorter, longer = sorted((_number(ours), _number(theirs)), key=len)
    if shorter == longer:
        return bool(shorter)
    rest = longer.removeprefix(shorter)
    return len(shorter) >= 6 and longer.startswith(shorter) and len(rest) in (2, 3) and rest.isdigit()


def _number(value: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", anyascii(value).upper())
