"""The causes that a coverage can have, in words for staff; read from `causes.yaml` and checked at import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from billing.x12.records import Rejection
from contracts.billing import Owner


class _Wording(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: str
    owner: Owner
    to_do: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why. `code` is stable and for programs; `sentence` and `to_do` are for people and hold nothing about a person."""

    code: str
    sentence: str
    owner: Owner
    to_do: str | None = None


_WORDINGS: Mapping[str, _Wording] = TypeAdapter(dict[str, _Wording]).validate_python(
    yaml.safe_load(Path(__file__).with_name("causes.yaml").read_text(encoding="utf-8"))
)


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
    """The cause that an AAA gives, with the owner that its code names."""
    wording = _WORDINGS["aaa"]
    meaning = rejection.meaning or f"reason {rejection.code}, which is not in the standard's list"
    meaning = meaning[:1].lower() + meaning[1:]
    return Cause(
        f"aaa_{rejection.code}",
        wording.cause.format(meaning=meaning),
        Owner(rejection.owner),
        (wording.to_do or "").format(meaning=meaning),
    )
