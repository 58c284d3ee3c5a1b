"""The worklist's templates with billing's words in them, and what every page of it is made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from billing.clinic import Clinic
from billing.payers import saying as payers_said
from billing.payers.directory import Directory
from billing.worklist.wording import WORDING
from chassis.clock import Clock
from chassis.pages import PageFile, Saying, Templates, clause
from contracts.billing import Owner

_FOLDER: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page is made with."""

    clinic: Clinic
    clock: Clock
    directory: Directory
    templates: Templates

    @classmethod
    def of(cls, clinic: Clinic, clock: Clock, directory: Directory, console_url: str | None) -> Desk:
        words: dict[str, Any] = {
            "clinic_name": clinic.organization,
            "wording": WORDING,
            "owners": tuple(Owner),
            "console_url": console_url,
            "clause": clause,
            "condition": payers_said.condition,
            "by_engine": payers_said.by_engine,
            "answer_time": payers_said.answer_time,
            "cause_now": payers_said.cause_now,
        }
        return cls(clinic, clock, directory, Templates(_FOLDER, ("worklist.css", "worklist.js"), words))

    @property
    def files(self) -> tuple[PageFile, ...]:
        return self.templates.files

    def saying(self) -> Saying:
        """Times as seen now from the clinic."""
        return Saying(self.clock.now(), self.clinic.time_zone)

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        return self.templates.render(name, context)
