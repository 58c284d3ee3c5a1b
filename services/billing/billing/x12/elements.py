"""Single elements: decimal numbers and dates as the standard writes them (ASC X12 data types R, DT; DTP02 formats)."""

import re
from datetime import date
from functools import lru_cache

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)

_LOOSE_DAY = r"[0-9]{4}[-/]?[0-9]{2}[-/]?[0-9]{2}"
_LOOSE_DAYS = re.compile(rf"({_LOOSE_DAY})(?:\s*-\s*({_LOOSE_DAY})?)?", re.ASCII)
_DIVIDED = re.compile("[-/]")


@lru_cache(maxsize=4096)
def decimal_text(text: str) -> str | None:
    """The decimal number as a string with its digits after the point kept ("10.00"), or None if it is none.

    Blanks, a plus sign and leading zeros go; a zero before the point comes (".2" is "0.2").
    """
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        return None
    sign = "-" if text[0] == "-" else ""
    whole, point, fraction = text.lstrip("+-").partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{point if fraction else ''}{fraction}"


@lru_cache(maxsize=4096)
def day(text: str) -> date | None:
    """A date written CCYYMMDD, or None if there is no such day."""
    if len(text) != 8 or not text.isdecimal():
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def days(form: str, text: str) -> tuple[date | None, date | None] | None:
    """The first and last day of a date (D8, DT) or range (RD8, RDT); None if it is neither.

    The text decides where the format qualifier is missing or wrong. A range that ends before it begins is none.
    """
    first, dash, last = text.strip().partition("-")
    if form in ("DT", "RDT"):
        first, last = first[:8], last[:8]
    start = day(first)
    if start is None:
        return None
    if not dash:
        return start, None
    end = day(last)
    return None if end is None or end < start else (start, end)


def guessed_days(text: str) -> tuple[date | None, date | None] | None:
    """The first and last day of a date or range that is not written as the standard has it; None if it is neither.

    "2026-01-01", "2026/01/01", "20260101 - 20261231", and "20260101-", which has no end.
    """
    found = _LOOSE_DAYS.fullmatch(text.strip())
    if found is None:
        return None
    first, last = (_DIVIDED.sub("", part or "") for part in found.groups())
    start, end = day(first), day(last)
    if start is None or (last and (end is None or end < start)):
        return None
    return start, end


def century_day(text: str) -> date | None:
    """A date written YYMMDD (ISA09) or CCYYMMDD (GS04); two-digit years from 70 on are the 1900s."""
    text = text.strip()
    if len(text) == 6:
        text = ("19" if text[:2] >= "70" else "20") + text
    return day(text)
