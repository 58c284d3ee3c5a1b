"""The shapes of values on a card: what can be a member number, a name, a date, and what cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass

from intake.cards.vocabulary import Shape, names, phrases

DATE = re.compile(
    r"(?<!\d)\d{1,2}\s?[/.-]\s?\d{1,2}\s?[/.-]\s?(?:\d{4}|\d{2})(?!\d)|(?<!\d)(?:19|20)\d\d[/-]\d\d[/-]\d\d(?!\d)"
)
MONTH_YEAR = re.compile(r"(?<!\d)(?:0?[1-9]|1[0-2])/(?:20\d\d|\d\d)(?!\d)")
WORDED_DATE = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s?\d{1,2}(?:,\s?|\s)(?:19|20)\d\d(?!\d)",
    re.IGNORECASE,
)
TELEPHONE = re.compile(
    r"(?<![\dA-Z])(?:\+?1[-. ]?)?\(?[2-9]\d{2}\)?[-. ]{1,2}\d{3}[-. ]\d{4}(?!\d)"
    r"|\b1[-. ]8\d\d[-. ][A-Z0-9]{3}[-. ]?[A-Z0-9]{4}\b"
)
MONEY = re.compile(r"[$€]\s?\d|\d\s?%")
ISSUER = re.compile(r"[({\[]?\s?80840\s?[)}\]]?")
ADDRESS = re.compile(r"(?i:\b(?:p\.?\s?o\.?\s?box|suite|street|avenue|blvd)\b)|\b[A-Z]{2}\s+\d{5}(?:-\d{4})?\b")
WEB = re.compile(r"www\.|\.(?:com|org|net|gov)\b|@", re.IGNORECASE)
PUNCTUATION = " :#.,;=-–—*_|/()"


@dataclass(frozen=True, slots=True)
class Value:
    """A value found in a text: how it reads, and from which character to which."""

    text: str
    start: int
    end: int


def find_value(shape: Shape, text: str) -> Value | None:
    """The value of that shape with which the text begins, or None if it cannot be one."""
    match shape:
        case "identifier":
            return identifier(text)
        case "code":
            return code(text)
        case "person":
            return person(text)
        case "digits":
            return _first(re.compile(r"[\dOol-]{4,}(?:\s\d+)*"), text)
        case "date":
            return _first(DATE, text) or _first(MONTH_YEAR, text) or _first(WORDED_DATE, text)
        case "telephone":
            return _first(TELEPHONE, text)
        case "money":
            return _first(MONEY, text)
        case "any":
            return Value(text.strip(), 0, len(text)) if text.strip() else None


def identifier(text: str) -> Value | None:
    """A member number at the beginning of a text: 5 to 20 letters and digits, at least 4 of them digits.

    Printed in blocks (``W1234 56789``, ``XEA 123456789``, ``U12345678 01``) it is one number; it ends at the first
    word without a digit. Dates, telephone numbers, amounts and addresses are none.
    """
    begin = len(text) - len(text.lstrip(PUNCTUATION))
    if _is_something_else(text[begin:]):
        return None
    end = begin
    for block in re.finditer(r"\S+", text[begin:]):
        word = block.group().strip(",;:|")
        if not _continues_number(word, begun=end > begin, following=text[begin + block.end() :]):
            break
        if end > begin and len(re.sub(r"[^A-Za-z0-9]", "", text[begin:end] + word)) > 16:
            break
        end = begin + block.start() + len(word)
    value = re.sub(r"\s", "", text[begin:end]).strip("-.,*:/")
    plain = value.replace("-", "")
    digits = sum(character.isdigit() for character in plain)
    if not (5 <= len(plain) <= 20 and digits >= 4 and re.fullmatch(r"[A-Za-z0-9-]+", value)):
        return None
    return None if _is_something_else(value) else Value(value, begin, end)


def _continues_number(word: str, *, begun: bool, following: str) -> bool:
    if DATE.match(word) or MONEY.search(word) or not re.fullmatch(r"[A-Za-z0-9./*-]+", word):
        return False
    if any(character.isdigit() for character in word):
        return True
    if begun:
        return False
    # A prefix of letters that stands apart from its digits.
    return bool(re.fullmatch(r"[A-Z]{1,4}", word) and re.match(r"\s*[A-Z]?\d{3}", following))


def _is_something_else(text: str) -> bool:
    return any(pattern.match(text) for pattern in (DATE, WORDED_DATE, TELEPHONE, MONEY, ISSUER)) or bool(
        WEB.search(text) or ADDRESS.search(text)
    )


def code(text: str) -> Value | None:
    """A group or pharmacy code: 2 to 20 letters, digits and hyphens, with a digit or all in capitals."""
    begin = len(text) - len(text.lstrip(PUNCTUATION))
    found = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,24}(?:[ -](?=[0-9-]{2,})[A-Za-z0-9-]+)*").match(text, begin)
    if found is None or any(pattern.match(text, begin) for pattern in (DATE, TELEPHONE, MONEY)):
        return None
    value = re.sub(r"\s", "", found.group()).rstrip("-")
    has_digit = any(character.isdigit() for character in value)
    if not (2 <= len(value.replace("-", "")) <= 22 and (has_digit or value.isupper())):
        return None
    return Value(value, begin, found.end())


def person(text: str) -> Value | None:
    """A person's name: two to five words of letters, not words of the trade; a leading "01" is left out."""
    begin = len(text) - len(text.lstrip(PUNCTUATION))
    index = re.compile(r"0\d\s+").match(text, begin)
    begin = index.end() if index else begin
    found = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’.,\s-]*").match(text, begin)
    if found is None:
        return None
    name = found.group().strip(" ,.-")
    vocabulary = names()
    never = vocabulary.never
    words = [word for word in re.split(r"[\s,]+|(?<=[a-z])(?=[A-Z][a-z])", name) if word]
    plain = [word.casefold().strip(".") for word in words]
    if not 2 <= len(words) <= 5 or any(word in never for word in plain):
        return None
    if sum(len(word) >= 2 and word not in vocabulary.titles for word in plain) < 2 and len(name) < 6:
        return None
    if not (name[0].isupper() and all(word[0].isupper() or word in vocabulary.particles for word in words)):
        return None
    if any(phrase.pattern.fullmatch(name) for phrase in phrases()):
        return None
    return Value(re.sub(r"\s+", " ", name), begin, found.start() + len(found.group().rstrip(" ,.-")))


def _first(pattern: re.Pattern[str], text: str) -> Value | None:
    found = pattern.search(text)
    return Value(found.group().strip(), found.start(), found.end()) if found else None
