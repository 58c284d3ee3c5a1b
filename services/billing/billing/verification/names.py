"""Names of people as payers compare them: parts told apart, accents and case set aside. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from anyascii import anyascii
from rapidfuzz import fuzz

_SUFFIXES = {"jr": "JR", "sr": "SR", "ii": "II", "iii": "III", "iv": "IV"}
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof"})
_BEFORE_A_LAST_NAME = frozenset(
    "de del della di da do dos la le van von der den ter el al bin st".split()  # noqa: SIM905  (one line reads better)
)

MISREAD_AT_MOST = 85
"""Likeness (0 to 100) from which two spellings are one name, one of them misread from a card."""


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


def same_person(ours: str, theirs: str) -> bool:
    """Whether two names may be one person's: payers drop middle names, shorten first names and join double names.

    The last names must share a part, and the first names begin alike where both are known; or the whole must differ
    by no more than a misreading.
    """
    one, other = split_name(ours), split_name(theirs)
    if one is None or other is None:
        return False
    if fuzz.token_sort_ratio(_whole(one), _whole(other)) >= MISREAD_AT_MOST:
        return True
    shared = _last_parts(one) & _last_parts(other)
    return bool(shared) and _begin_alike(one.first, other.first)


def _whole(name: PersonName) -> str:
    return " ".join(part for part in (name.first, name.last) if part)


def _last_parts(name: PersonName) -> set[str]:
    parts = re.split(r"[ \-']", name.last)
    return {part for part in parts if part.lower() not in _BEFORE_A_LAST_NAME and len(part) > 1}


def _begin_alike(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return True
    shorter, longer = sorted((one, other), key=len)
    return longer.startswith(shorter)


def same_member(ours: str, theirs: str) -> bool:
    """Whether two member numbers are one: apart from blanks and dashes, one may carry a person's two- or three-digit
    suffix that the other leaves out."""
    shorter, longer = sorted((_number(ours), _number(theirs)), key=len)
    if shorter == longer:
        return bool(shorter)
    rest = longer.removeprefix(shorter)
    return len(shorter) >= 6 and longer.startswith(shorter) and len(rest) <= 3 and rest.isdigit()


def _number(value: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", anyascii(value).upper())
