"""The words of cards, read from YAML and checked once: what labels say, and what payers are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

Shape = Literal["identifier", "code", "person", "digits", "date", "telephone", "money", "any"]
Strength = Literal["strong", "fair", "weak"]

# What the recogniser takes for one another in words, where a wrong letter does no harm.
_LOOKALIKES: Mapping[str, str] = {
    "i": "[iíìl1|!]",
    "l": "[li1|]",
    "o": "[oóò0]",
    "s": "[s5$]",
    "u": "[uúü]",
    "e": "[eéè]",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(_Strict):
    """A kind of value, the shape that it must have and the phrases that announce it."""

    value: Shape
    strong: tuple[str, ...] = ()
    fair: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()


class Labels(_Strict):
    """The whole of ``labels.yaml``."""

    persons: tuple[str, ...]
    number_words: tuple[str, ...]
    kinds: Mapping[str, Kind]


class Payer(_Strict):
    """A payer as cards name it. ``network`` marks those that are printed on other payers' cards."""

    name: str
    also: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    regional: bool = False
    prefixed: bool = False
    network: bool = False


class Payers(_Strict):
    """The whole of ``payers.yaml``."""

    payers: tuple[Payer, ...] = Field(min_length=1)
    organisation_words: tuple[str, ...]
    places: tuple[str, ...]
    """Where a regional payer may be "of"; a misread place is set right by the nearest."""


class Names(_Strict):
    """The whole of ``names.yaml``: titles, words that names hold in lower case, and words that no name holds."""

    titles: frozenset[str]
    particles: frozenset[str]
    never: frozenset[str]


class Phrase(_Strict):
    """A label's wording as a pattern, with every meaning that it may have."""

    pattern: re.Pattern[str]
    meanings: tuple[tuple[str, Strength], ...]
    length: int


@cache
def labels() -> Labels:
    """The labels of cards. Raises pydantic's ValidationError if the file is not as it must be."""
    return Labels.model_validate(_read("labels.yaml"))


@cache
def payers() -> Payers:
    """The payers. Raises pydantic's ValidationError if the file is not as it must be."""
    return Payers.model_validate(_read("payers.yaml"))


@cache
def names() -> Names:
    """What names are told by. Raises pydantic's ValidationError if the file is not as it must be."""
    return Names.model_validate(_read("names.yaml"))


@cache
def phrases() -> tuple[Phrase, ...]:
    """All labels as patterns, the longest first, so that the first to match at a place is the fullest."""
    vocabulary = labels()
    meanings: dict[str, list[tuple[str, Strength]]] = {}
    for name, kind in vocabulary.kinds.items():
        announced: tuple[tuple[Strength, tuple[str, ...]], ...] = (
            ("strong", kind.strong),
            ("fair", kind.fair),
            ("weak", kind.weak),
        )
        for strength, wordings in announced:
            for wording in wordings:
                for spelled in _spelled_out(wording, vocabulary.persons):
                    known = meanings.setdefault(spelled.casefold(), [])
                    if name not in (kind_name for kind_name, _ in known):
                        known.append((name, strength))
    built = [
        Phrase(pattern=_pattern(wording, vocabulary.number_words), meanings=tuple(found), length=len(wording))
        for wording, found in meanings.items()
    ]
    return tuple(sorted(built, key=lambda phrase: -phrase.length))


def _read(name: str) -> object:
    return yaml.safe_load((files("intake.cards") / "vocabulary" / name).read_text(encoding="utf-8"))


def _spelled_out(wording: str, persons: tuple[str, ...]) -> tuple[str, ...]:
    if "{person}" not in wording:
        return (wording,)
    return tuple(wording.replace("{person}", person) for person in persons)


def _pattern(wording: str, number_words: tuple[str, ...]) -> re.Pattern[str]:
    """Tolerant of case, missing or doubled spaces, punctuation, and letters that look alike.

    A phrase ends where no letter follows, save where a number begins at once, as in "IDW123456789".
    """
    number = "|".join(sorted((_tolerant(word) for word in number_words), key=len, reverse=True))
    between = r"[\s.:_/-]{0,3}"
    parts: list[str] = []
    for word in wording.split():
        if word in ("#", "number"):
            parts.append(rf"(?:(?:{number})(?![a-z])[.:#]*)" + ("?" if word == "#" else ""))
        else:
            parts.append(_tolerant(word))
    ends = r"(?![a-z'’])" if wording[-1].isalpha() or wording.endswith("#") else ""
    if wording.split()[-1] in ("#", "id"):
        ends = r"(?![a-z'’](?!\d{4}))"
    return re.compile(rf"(?<![a-z0-9]){between.join(parts)}{ends}", re.IGNORECASE)


def _tolerant(word: str) -> str:
    if word.casefold() == "id":
        return r"[iíìl1|!]\.?d\.?"
    return "".join(_LOOKALIKES.get(character, re.escape(character)) for character in word.casefold())
