"""Where a list goes on, as it stands in an address: instants, ids and counts, never anything of a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chassis.http.problems import Problem

_LARGEST_BIGINT_DIGITS = 18


def write_place(*parts: object) -> str:
    """The parts that the next page comes after, as one word of an address."""
    return "~".join(_written(part) for part in parts)


def read_place(text: str, field: str, *kinds: Callable[[str], Any]) -> tuple[Any, ...]:
    """What `write_place` wrote, each part read by its kind, which raises ValueError. Raises a 422 problem."""
    try:
        return tuple(kind(part) for kind, part in zip(kinds, text.split("~"), strict=True))
    except ValueError:
        error = {"field": field, "message": "Take it from the page before, unchanged."}
        raise Problem(422, "The place to go on from is not valid", errors=[error]) from None


def instant(text: str) -> datetime:
    """With its offset, and in years that every zone and the database can reckon with."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or not 1900 <= found.year <= 8000:
        raise ValueError
    return found


def name(text: str) -> str:
    """An id: visible ASCII, at least one character."""
    if not text or not all("!" <= character <= "~" for character in text):
        raise ValueError
    return text


def count(text: str) -> int:
    """A number from 0, as large as the database can keep."""
    if not text.isascii() or not text.isdigit() or len(text) > _LARGEST_BIGINT_DIGITS:
        raise ValueError
    return int(text)


def _written(part: object) -> str:
    # Z, for a plus sign would be a blank in an address.
    return part.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(part, datetime) else str(part)
