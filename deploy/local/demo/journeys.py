"""What has to come of each of the seven, read from `journeys.yaml` and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator

from contracts.registry import EVENT_TYPES

_KNOWN = {type.split(".")[1] for type in EVENT_TYPES}


class Journey(BaseModel):
    """The end of one person's journey, whatever way it took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: str
    events: dict[str, int]
    card: Literal["read", "unreadable"] | None = None
    coverage: Literal["active", "inactive", "undetermined"] | None = None
    owner: Literal["patient", "staff", "payer"] | None = None
    tasks: tuple[str, ...] = ()
    urgent: bool = False
    letters: tuple[str, ...]
    never: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_events_that_there_are(self) -> Journey:
        if unknown := self.events.keys() - _KNOWN:
            raise ValueError(f"no such events: {', '.join(sorted(unknown))}")
        return self


def load_journeys() -> dict[str, Journey]:
    """By the name of the sandbox's scenario, in the order in which they come."""
    text = Path(__file__).with_name("journeys.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Journey]).validate_python(yaml.safe_load(text))
