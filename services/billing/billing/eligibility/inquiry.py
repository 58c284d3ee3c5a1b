"""What a program asks, and what it is answered. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from billing.verification.model import State
from billing.verification.names import split_name
from billing.verification.shown import VerificationShown
from billing.x12.codes import SERVICE_TYPES_ASKED

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
ENDED = frozenset({State.CONCLUDED, State.WITH_PERSON, State.SUPERSEDED})


class Webhook(BaseModel):
    """Where to tell that an answer is there, signed with the secret (HMAC-SHA256). No PHI is sent there."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl = Field(description="https, at a public address", max_length=500)
    secret: Annotated[SecretStr, Field(min_length=24, max_length=200)]


class Inquiry(BaseModel):
    """A question about somebody's insurance."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "payer": "Aetna",
                    "member_id": "W100000001",
                    "name": "Eleanor Whitfield",
                    "birth_date": "1984-03-12",
                    "service_types": ["30", "MH"],
                }
            ]
        },
    )

    payer: _Text = Field(description="A payer's id (GET /payers), or its name as a card says it")
    member_id: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9 -]{2,40}$")]
    name: _Text = Field(description="The patient's: first and last name")
    birth_date: date | None = None
    holder: _Text | None = Field(None, description="Whose insurance it is, where the patient is a dependent")
    service_date: date | None = Field(None, description="Default: today")
    service_types: list[str] = Field(
        [], max_length=10, description="X12 service type codes; default: those that the payer answers well"
    )
    webhook: Webhook | None = Field(
        None, description="Told when the answer is there; also where this request has brought it, for it may get lost"
    )
    forced: bool = Field(False, description="Also when you have been answered the same question today: each one costs")

    @field_validator("name", "holder")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and ((parts := split_name(value)) is None or parts.first is None):
            raise ValueError("should be a first and a last name, in letters")
        return value

    @field_validator("service_types")
    @classmethod
    def _may_be_asked(cls, codes: list[str]) -> list[str]:
        for code in codes:
            if code not in SERVICE_TYPES_ASKED:
                raise ValueError("should be codes that a 270 may ask about, such as 30, MH or 98")
        return codes

    @model_validator(mode="after")
    def _is_born(self) -> Self:
        if self.birth_date is not None and self.birth_date.year < 1890:
            raise ValueError("birth_date should be in or after 1890")
        return self

    def question(self, payer_id: str, on: date, service_types: Sequence[str]) -> bytes:
        """What tells this question from others: two with the same digest would have the payer asked the same."""
        member = re.sub("[ -]", "", self.member_id).upper()
        born = self.birth_date and self.birth_date.isoformat()
        told = [payer_id, member, self.name.casefold(), born, self.holder, on.isoformat(), *sorted(service_types)]
        return hashlib.sha256(json.dumps(told).encode()).digest()


class Answered(BaseModel):
    """A question and what is known. `complete`: nothing more will come of it by itself."""

    id: str = Field(description="GET /eligibility/{id} shows it again")
    complete: bool
    verification: VerificationShown
