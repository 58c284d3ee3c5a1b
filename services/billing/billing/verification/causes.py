"""The causes that a coverage can have, in words for staff: `causes.yaml` and `rejections.yaml`, checked at import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from billing.x12.codes import REASONS
from billing.x12.records import Rejection
from contracts.billing import Owner


class _Wording(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: str
    owner: Owner
    to_do: str | None = None


class _Instruction(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    reasons: list[str]
    to_do: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why. `code` is stable and for programs; `sentence` and `to_do` are for people and hold nothing about a person."""

    code: str
    sentence: str
    owner: Owner
    to_do: str | None = None


def _read(name: str) -> Any:
    return yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _instructions() -> Mapping[str, str]:
    """What to do about a rejection, by its reason."""
    listed = TypeAdapter(list[_Instruction]).validate_python(_read("rejections.yaml"))
    pairs = [(reason, one.to_do) for one in listed for reason in one.reasons]
    if sorted(reason for reason, _ in pairs) != sorted(REASONS):
        raise ValueError("rejections.yaml must have each reason of codes/rejection_reasons.csv once")
    return dict(pairs)


_WORDINGS: Mapping[str, _Wording] = TypeAdapter(dict[str, _Wording]).validate_python(_read("causes.yaml"))
_INSTRUCTIONS = _instructions()


def cause(code: str, payer: str = "the payer") -> Cause:
    """The cause of this code. An envelope's error is `envelope_<its code>`. Raises KeyError for a code not listed."""
    wording = _WORDINGS["envelope" if code.startswith("envelope_") else code]
    name = payer or "the payer"
    return Cause(
        code,
        wording.cause.format(payer=name),
        wording.owner,
        wording.to_do.format(payer=name) if wording.to_do else None,
    )


def rejected(rejection: Rejection) -> Cause:
    """The cause that an AAA gives, with the owner that its code names, and what to do about that code."""
    wording = _WORDINGS["aaa"]
    meaning = rejection.meaning or f"reason {rejection.code}, which is not in the standard's list"
    meaning = meaning[:1].lower() + meaning[1:]
    return Cause(
        f"aaa_{rejection.code}",
        wording.cause.format(meaning=meaning),
        Owner(rejection.owner),
        _INSTRUCTIONS.get(rejection.code) or (wording.to_do or "").format(meaning=meaning),
    )
