"""The worklist's words, read from `wording.yaml` and checked against every case there is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from billing.benefits.changes import ChangeKind
from billing.verification import causes
from billing.verification.answer import Outcome
from billing.verification.model import Reason, State
from billing.worklist.filter import Age, Shown
from billing.x12.codes import REASONS, SERVICE_TYPES
from contracts.billing import CoverageChange, Owner


class Field(StrEnum):
    """A field of the correction form."""

    PAYER = "payer"
    MEMBER_ID = "member_id"
    NAME = "name"
    BIRTH_DATE = "birth_date"
    HOLDER = "holder"


class Done(StrEnum):
    """What somebody has just done."""

    CORRECTED = "corrected"
    ASKED_AGAIN = "asked_again"
    ORDERED = "ordered"
    DEALT_WITH = "dealt_with"


class Wording(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    owners: dict[Owner, str]
    lists: dict[Shown, str]
    ages: dict[Age, str]
    states: dict[State, str]
    outcomes: dict[Outcome, str]
    reasons: dict[str, str]
    changes: dict[str, str]
    kinds_of_change: dict[ChangeKind, str]
    orders: dict[str, str]
    done: dict[Done, str]
    fields: dict[str, str]
    sources: dict[str, str]
    services: dict[str, str]
    at_fault: dict[str, Field]
    segments: dict[str, str]

    @model_validator(mode="after")
    def _complete(self) -> Wording:
        tables: list[tuple[type[StrEnum], dict[str, str]]] = [
            (Owner, {**self.owners}),
            (Shown, {**self.lists}),
            (Age, {**self.ages}),
            (State, {**self.states}),
            (Outcome, {**self.outcomes}),
            (Reason, {**self.reasons}),
            (ChangeKind, {**self.kinds_of_change}),
            (Done, {**self.done}),
        ]
        for cases, words in tables:
            if missing := sorted(set(cases) - set(words)):
                raise ValueError(f"no words for {cases.__name__}: {', '.join(missing)}")
        return self

    def service(self, code: str) -> str:
        """A service type in the clinic's words, or else in the standard's."""
        return self.services.get(code) or SERVICE_TYPES.get(code) or f"Service type {code}"

    def change(self, one: CoverageChange, services: Mapping[str, str]) -> str:
        """`Psychotherapy, copay: $30.00, before $25.00`. `services` are the clinic's, by id."""
        of = services.get(one.service or "", one.service) or "The plan"
        kind = next((words for kind, words in self.kinds_of_change.items() if kind == one.kind), one.kind)
        return f"{of}, {kind}: {one.now or 'not known'}, before {one.was or 'not known'}"

    def result(self, result: str | None) -> str:
        """What came of a question: an outcome in words, or the cause of there being none."""
        if result is None:
            return "No answer yet"
        if result in self.outcomes:
            return self.outcomes[Outcome(result)]
        if result.startswith("aaa_"):
            reason = REASONS.get(result.removeprefix("aaa_"))
            return f"Refused: {reason.meaning}" if reason else "Refused for a reason that is not in the standard's list"
        try:
            return causes.cause(result).sentence
        except KeyError:
            return "Unknown"


WORDING: Final = Wording.model_validate(
    yaml.safe_load(Path(__file__).with_name("wording.yaml").read_text(encoding="utf-8"))
)
