"""Where an interchange begins and what separates its parts, read from its ISA segment.

The standard gives ISA exactly 106 characters, so every separator stands at a known place (ASC X12.5, ISA). Files that
break that rule (trimmed or padded elements, lines wrapped at 80 columns, a missing component separator) are still
read wherever what was meant can be told.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

ISA_LENGTH = 106
_GAPS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_GAPS_THAT_CONVINCE = 13
_HEAD = 512
_LOOK_AHEAD = 4096
BLANKS = " \t\r\n"
"""White space in the sense of a file. (Python counts 0x1C to 0x1F as such, which are common separators.)"""
_FOLLOWS_ISA = ("GS", "TA1", "IEA", "ISA", "ST")
REPEATS_FROM = "00402"
"""The version (ISA12; GS08 begins with it) from which elements repeat."""


class Separators(NamedTuple):
    """The four separators. `repetition` is None where the version knows none (before 00402)."""

    element: str = "*"
    component: str = ":"
    segment: str = "~"
    repetition: str | None = "^"


USUAL = Separators()


class Header(NamedTuple):
    """An ISA: its separators, its elements (the first is "ISA"), and the problem codes found on the way.

    `mended` says that its 106th character stands where the terminator should, but is another.
    """

    separators: Separators
    elements: list[str]
    problems: list[str]
    mended: bool = False


def find_isa(text: str, start: int, terminator: str | None = None) -> int:
    """Where the next ISA stands at or after `start`, or -1.

    Given the terminator of the interchange before, an ISA must follow it, or begin a line and look like an ISA: a
    patient may well be called Isa. Each character is looked at a bounded number of times.
    """
    at = text.find("ISA", start)
    while at >= 0:
        if not text[at + 3 : at + 4].isalnum() and _opens(text, at, start, terminator):
            return at
        at = text.find("ISA", at + 3)
    return -1


def _opens(text: str, at: int, start: int, terminator: str | None) -> bool:
    before = at - 1
    while before >= start and text[before] in BLANKS and text[before] != terminator:
        before -= 1
    if terminator is None:
        return before < 0 or not text[at - 1].isalnum()
    if before >= start and text[before] == terminator:
        return True
    on_new_line = before < at - 1 and "\n" in text[before + 1 : at]
    return on_new_line and text[at + 3 : at + 4] == text[at + 6 : at + 7]


def read_header(text: str, start: int, end: int) -> Header:
    """The separators and elements of the ISA that stands at `start` in an interchange that ends at `end`."""
    window = text[start : min(end, start + _HEAD)]
    if "\n" in window[: ISA_LENGTH - 2]:
        window = _unwrapped(window) if _fixed_width(_unwrapped(window)) else window
    exact = _fixed_width(window)
    problems: list[str] = []
    if exact is None:
        problems.append("isa_not_106")
        exact = _loose(window)
        skip = 2 * 16
    else:
        skip = ISA_LENGTH
    element, component, terminator, fields = exact
    if len(fields) == 17 and not problems:
        usual = _usual(element, component, terminator, fields[11], fields[12])
        if usual is not None and text.find(terminator, start + skip, end) >= 0:
            return Header(usual, fields, problems)
    guessed = not _can_terminate(terminator, element) or _never_again(terminator, text, start + skip, end)
    mended = guessed and skip == ISA_LENGTH and not terminator.isalnum()
    if guessed:
        terminator = guess_terminator(text[start + 3 : min(end, start + _LOOK_AHEAD)], element)
    if len(fields) < 17:
        problems.append("isa_incomplete")
        fields = window.split(terminator, 1)[0].split(element)
    if not _can_divide(component, element, terminator):
        guessed = guessed or len(fields) >= 17
        component = ":"
    repetition, impossible = _repetition(fields)
    if guessed or impossible:
        problems.append("separator_guessed")
    return Header(Separators(element, component, terminator, repetition), fields, problems, mended)


@lru_cache(maxsize=256)
def _usual(element: str, component: str, terminator: str, repetition: str, version: str) -> Separators | None:
    """The separators, if nothing about them needs a second look."""
    separator, impossible = _repetition(["", *[""] * 10, repetition, version])
    if impossible or not _can_terminate(terminator, element) or not _can_divide(component, element, terminator):
        return None
    return Separators(element, component, terminator, separator)


def _can_divide(component: str, element: str, terminator: str) -> bool:
    return not (component.isalnum() or component in BLANKS or component in (element, terminator))


def _unwrapped(window: str) -> str:
    return window.replace("\r", "").replace("\n", "")


def _fixed_width(window: str) -> tuple[str, str, str, list[str]] | None:
    if len(window) < ISA_LENGTH - 2:
        return None
    fields = window[:105].split(window[3])
    if len(fields) == 17 and window[6] == window[103] == window[3] and window[105:106] not in BLANKS:
        return window[3], fields[16], window[105:106], fields
    element, votes = Counter(window[gap] for gap in _GAPS).most_common(1)[0]
    if votes < _GAPS_THAT_CONVINCE or element.isalnum() or element in BLANKS:
        return None
    fields = [window[start + 1 : stop] for start, stop in zip(_GAPS, (*_GAPS[1:], 105), strict=True)]
    terminator = window[105:106]
    if terminator == "\r" and window[106:107] == "\n":
        terminator = "\n"
    return element, window[104:105], terminator, ["ISA", *fields]


def _loose(window: str) -> tuple[str, str, str, list[str]]:
    element = window[3:4] or "*"
    if element in BLANKS:
        element = "*"
    fields = window.split(element, 16)
    if len(fields) < 17:
        return element, ":", "", fields
    component, terminator = _tail(fields[16])
    fields[16] = component
    return element, component, terminator, fields


def _tail(text: str) -> tuple[str, str]:
    """ISA16 and the terminator, from what follows the last element separator of an ISA of any length."""
    for component, rest in ((text[:1], text[1:]), ("", text)):
        after = rest[1:].lstrip(BLANKS)
        if after.startswith(_FOLLOWS_ISA):
            terminator = "\n" if rest[:2] == "\r\n" else rest[:1]
            return component, terminator
    return text[:1], text[1:2]


def _can_terminate(terminator: str, element: str) -> bool:
    return bool(terminator) and not terminator.isalnum() and terminator not in (" ", element)


def _never_again(terminator: str, text: str, start: int, end: int) -> bool:
    """Whether the character taken for the terminator ends nothing after the ISA, though something follows."""
    return text.find(terminator, start, end) < 0 and bool(text[start : min(end, start + _LOOK_AHEAD)].strip(BLANKS))


def guess_terminator(text: str, element: str) -> str:
    """The character that stands before the segments every file has; "~" where none tells.

    What stands before GS is asked last: it follows the ISA, whose own end may be the damaged one.
    """
    for tags in ("ST|BHT|HL|SE|GE|IEA", "GS|TA1"):
        known = re.search(rf"([^A-Za-z0-9 \t\r\n])[ \t\r\n]{{0,4}}(?:{tags}){re.escape(element)}", text[:_LOOK_AHEAD])
        if known and known[1] != element:
            return known[1]
    return "\n" if re.search(rf"\n(?:GS|ST|BHT|HL){re.escape(element)}", text[:_LOOK_AHEAD]) else "~"


def _repetition(fields: list[str]) -> tuple[str | None, bool]:
    """ISA11 where it can be a separator. Whether it had to be guessed: from 00402 on it must be one."""
    separator = fields[11].strip(BLANKS) if len(fields) > 11 else ""
    if len(separator) == 1 and not separator.isalnum():
        return separator, False
    version = fields[12].strip() if len(fields) > 12 else REPEATS_FROM
    if version < REPEATS_FROM:
        return None, False
    return "^", len(fields) > 12
