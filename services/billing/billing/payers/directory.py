"""The payers that can be asked, and which one a card or a person means."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from anyascii import anyascii
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from billing.payers.hours import Closed, opens_at
from billing.x12.codes import SERVICE_TYPES_ASKED

OWN_FILE = Path(__file__).with_name("payers.yaml")

_CONTAINED = 0.95
"""The whole of a payer's name stands among other words: "Aetna Choice POS II"."""
_PART_OF = 0.72
"""What was said is only a part of a payer's name: "blue cross". Never enough by itself."""
_MISTYPED = 0.9
"""One letter is wrong, missing, too many or has changed places with its neighbour: "Atena"."""
_MISTYPED_FROM = 5
"""In so many letters; in fewer, one wrong letter may make another name."""
_ELSEWHERE = 0.8
"""The name is right, but the place is one where this payer insures nobody."""
_NEVER_SURE = 0.97
"""A likeness, however great, is less than the name itself."""
_REMEMBERED = 4096
"""Different ways to name a payer that are not looked up again: a clinic's patients have a few hundred of them."""


class BadPayersFile(ValueError):
    """A payers file that cannot be worked with: every fault with its place."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Payer(_Row):
    """One payer and how it wants to be asked."""

    id: Annotated[str, StringConstraints(min_length=2, max_length=80)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    known_as: tuple[str, ...] = ()
    known_alone_as: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    """Where it insures; empty for everywhere."""
    answers_ahead: Literal["end_of_month"] | Annotated[int, Field(ge=0, le=730)] = "end_of_month"
    asks: Annotated[tuple[str, ...], Field(min_length=1)] = ("30",)
    seconds: Annotated[float, Field(gt=0, le=120)] | None = None
    at_once: Annotated[int, Field(ge=1, le=64)] = 8
    per_second: Annotated[float, Field(gt=0)] = 20.0
    answered_by: Literal["gateway", "engine"] = "gateway"
    engine_minutes: Annotated[float, Field(gt=0, le=10_080)] = 30.0
    """How long an engine's answer is waited for, before a person has to see to it."""
    closed: tuple[Closed, ...] = ()
    time_zone: ZoneInfo = ZoneInfo("America/New_York")

    @model_validator(mode="after")
    def _asks_what_may_be_asked(self) -> Payer:
        for code in self.asks:
            if code not in SERVICE_TYPES_ASKED:
                raise ValueError(f"asks: {code} is no service type that a 270 may ask about")
        return self

    @property
    def engine_patience(self) -> timedelta:
        return timedelta(minutes=self.engine_minutes)

    def opens_at(self, now: datetime) -> datetime | None:
        """When it can be asked again, if its system is known to be away now."""
        return opens_at(self.closed, self.time_zone, now)

    def last_day(self, today: date) -> date:
        """The last day that this payer answers about when asked today."""
        if self.answers_ahead == "end_of_month":
            return today.replace(day=calendar.monthrange(today.year, today.month)[1])
        return today + timedelta(days=self.answers_ahead)

    def opens_for(self, day: date) -> date:
        """The first day on which this payer answers about `day`."""
        if self.answers_ahead == "end_of_month":
            return day.replace(day=1)
        return day - timedelta(days=self.answers_ahead)


@dataclass(frozen=True, slots=True)
class Recognised:
    """Which payer a name means. `payer` is None where a person has to pick; `nearest` are what they may pick from."""

    payer: Payer | None
    confidence: float
    nearest: tuple[Payer, ...] = ()


class Directory:
    """All payers of the clinic."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._by_id = {payer.id: payer for payer in file.payers}
        self._short_forms = sorted(
            [*file.short_forms.items(), *((short, place) for place, short in file.places.items())],
            key=lambda pair: -len(pair[0]),
        )
        self._names = [(payer, self._plain(name)) for payer in file.payers for name in (payer.name, *payer.known_as)]
        self._alone = {self._plain(name): payer for payer in file.payers for name in payer.known_alone_as}
        self.recognise = lru_cache(_REMEMBERED)(self._recognise)
        """Which payer is meant by what a card says or a person types; a payer's id is taken as well."""

    def __iter__(self) -> Iterator[Payer]:
        return iter(self._by_id.values())

    def get(self, id: str) -> Payer | None:
        return self._by_id.get(id)

    def _recognise(self, said: str) -> Recognised:
        if (named := self._by_id.get(said.strip())) is not None:
            return Recognised(named, 1.0, (named,))
        plain = self._plain(said)
        if (alone := self._alone.get(plain)) is not None:
            return Recognised(alone, 1.0, (alone,))
        places = self._places(plain)
        likeness: dict[str, float] = {}
        for payer, name in self._names:
            score = _likeness(plain, name)
            if places and payer.region and places.isdisjoint(payer.region):
                score = min(score, _ELSEWHERE)
            likeness[payer.id] = max(likeness.get(payer.id, 0.0), score)
        ranked = sorted(likeness.items(), key=lambda item: -item[1])
        nearest = tuple(self._by_id[id] for id, score in ranked[:3] if score > 0.4)
        best, confidence = ranked[0]
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        sure = confidence >= self._file.sure_from and (confidence == 1.0 or confidence - second > self._file.too_close)
        return Recognised(self._by_id[best] if sure else None, round(confidence, 3), nearest)

    def _plain(self, name: str) -> tuple[str, ...]:
        """The words that tell a payer from others, in order."""
        words = f" {' '.join(re.findall(r'[a-z0-9]+', anyascii(name).lower()))} "
        telling = words
        for noise in self._file.noise:
            telling = _replaced(telling, noise, "")
        if not telling.strip():
            return tuple(words.split())
        for short, long in self._short_forms:
            telling = _replaced(telling, short, long)
        return tuple(telling.split())

    def _places(self, plain: tuple[str, ...]) -> set[str]:
        said = f" {' '.join(plain)} "
        return {place for place in self._file.places if f" {place} " in said}


def _replaced(words: str, one: str, other: str) -> str:
    """Each word is between two blanks, also where the same stands twice in a row."""
    while f" {one} " in words and one != other:
        words = words.replace(f" {one} ", f" {other} " if other else " ")
    return words


def _likeness(said: Sequence[str], name: Sequence[str]) -> float:
    if not said:
        return 0.0
    if tuple(said) == tuple(name):
        return 1.0
    if set(name) <= set(said):
        return _CONTAINED
    if set(said) <= set(name):
        return _PART_OF
    one, other = "".join(said), "".join(name)
    if len(one) >= _MISTYPED_FROM and OSA.distance(one, other, score_cutoff=1) <= 1:
        return _MISTYPED
    return _NEVER_SURE * fuzz.token_sort_ratio(" ".join(said), " ".join(name)) / 100


class _File(_Row):
    noise: tuple[str, ...] = ()
    short_forms: dict[str, str] = {}
    places: dict[str, str] = {}
    sure_from: Annotated[float, Field(gt=0, le=1)]
    too_close: Annotated[float, Field(ge=0, le=1)]
    payers: Annotated[tuple[Payer, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _hangs_together(self) -> _File:
        ids = [payer.id for payer in self.payers]
        if elsewhere := sorted({place for payer in self.payers for place in payer.region} - set(self.places)):
            raise ValueError(f"region: {', '.join(elsewhere)} is none of the places")
        if twice := sorted({id for id in ids if ids.count(id) > 1}):
            raise ValueError(f"payers: {', '.join(twice)} stands there twice")
        return self


def load_payers(file: Path = OWN_FILE) -> Directory:
    """Raises BadPayersFile, which says what is wrong and where."""
    try:
        return Directory(_File.model_validate(yaml.safe_load(file.read_text(encoding="utf-8"))))
    except (OSError, yaml.YAMLError) as error:
        raise BadPayersFile(f"{file.name} cannot be read: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise BadPayersFile(f"{file.name}: {faults}") from None
