"""Which numbers can be texted: the tables of errors.yaml, opt-outs and fates set on request."""

import re
from enum import StrEnum
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

_E164 = re.compile(r"\+[1-9]\d{6,14}")

# Twilio's default opt-out keywords: only the bare word counts, whatever its case.
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "UNSTOP", "YES"})


class Fate(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    OPTED_OUT = "opted_out"


class CarrierError(BaseModel):
    status: int
    message: str


class _Tables(BaseModel):
    model_config = ConfigDict(extra="forbid")
    errors: dict[int, CarrierError]
    refused_numbers: dict[str, int]
    undelivered_endings: dict[str, int]


@cache
def tables() -> _Tables:
    text = files("sandbox.carrier").joinpath("errors.yaml").read_text(encoding="utf-8")
    return _Tables.model_validate(yaml.safe_load(text))


def is_number(text: str) -> bool:
    """Whether `text` is a telephone number in E.164."""
    return _E164.fullmatch(text) is not None


class Numbers:
    """What the carrier knows of the numbers that it is asked to text."""

    def __init__(self) -> None:
        self._fates: dict[str, Fate] = {}

    def set_fate(self, number: str, fate: Fate) -> None:
        """`delivered` also takes an opt-out back."""
        self._fates[number] = fate

    def forget(self) -> None:
        self._fates.clear()

    def refusal(self, number: str) -> int | None:
        """The error code with which a message to `number` is refused, if it is."""
        if not is_number(number):
            return 21211
        if self._fates.get(number) is Fate.OPTED_OUT:
            return 21610
        return tables().refused_numbers.get(number)

    def failure(self, number: str) -> int | None:
        """The error code with which an accepted message stays undelivered, if it does."""
        match self._fates.get(number):
            case Fate.UNDELIVERED:
                return 30003
            case Fate.DELIVERED:
                return None
            case _:
                endings = tables().undelivered_endings
                return next((code for ending, code in endings.items() if number.endswith(ending)), None)

    def hear(self, number: str, body: str) -> Fate | None:
        """Note an opt-out or opt-in in what `number` texted; None for anything else."""
        word = body.strip().upper()
        if word in STOP_WORDS:
            self._fates[number] = Fate.OPTED_OUT
            return Fate.OPTED_OUT
        if word in START_WORDS and self._fates.get(number) is Fate.OPTED_OUT:
            del self._fates[number]
            return Fate.DELIVERED
        return None
