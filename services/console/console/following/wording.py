"""The words that staff read, and the rules of tasks, read from YAML and checked against every case there is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from console.following.coverage import Cause, CoverageState
from console.following.model import MessageFate, Stage
from console.following.tasks import TaskKind, TaskOwner, TaskRule, TaskRules
from contracts.intake import Insured, RiskLevel, Treatment
from contracts.notify import Channel
from contracts.scheduling import AppointmentKind

OWN_FILE = Path(__file__).with_name("wording.yaml")


class BadWordingFile(ValueError):
    """A wording file that cannot be worked with: every fault with its place."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskWords(_Table):
    """A kind of task in words, and how it is treated."""

    heading: str
    what_to_do: str
    rank: Annotated[int, Field(ge=0, le=1000)]
    owner: TaskOwner
    patience_minutes: Annotated[int, Field(ge=0)] = 0
    shown_for_hours: Annotated[int | None, Field(gt=0)] = None
    late_after_minutes: Annotated[int, Field(gt=0)]
    by_hand: bool = False

    @property
    def rule(self) -> TaskRule:
        shown_for = timedelta(hours=self.shown_for_hours) if self.shown_for_hours else None
        patience, late_after = timedelta(minutes=self.patience_minutes), timedelta(minutes=self.late_after_minutes)
        return TaskRule(self.rank, self.owner, patience, shown_for, late_after, self.by_hand)


class Wording(_Table):
    stages: dict[Stage, str]
    after_appointment: str
    coverage_states: dict[CoverageState, str]
    coverage_causes: dict[Cause, str]
    owners: dict[TaskOwner, str]
    risk_levels: dict[RiskLevel, str]
    tasks: dict[TaskKind, TaskWords]
    channels: dict[Channel, str]
    fates: dict[MessageFate, str]
    templates: dict[str, str]
    appointments: dict[AppointmentKind, str]
    insured: dict[Insured, str]
    treatments: dict[Treatment, str]
    services: dict[str, str]

    @property
    def rules(self) -> TaskRules:
        return {kind: words.rule for kind, words in self.tasks.items()}

    def matter(self, template: str) -> str:
        """What a message is about."""
        return self.templates.get(template) or template.replace("_", " ")

    @model_validator(mode="after")
    def _leaves_nothing_out(self) -> Wording:
        tables = {
            "stages": (self.stages, Stage),
            "coverage_states": (self.coverage_states, CoverageState),
            "coverage_causes": (self.coverage_causes, Cause),
            "owners": (self.owners, TaskOwner),
            "risk_levels": (self.risk_levels, RiskLevel),
            "tasks": (self.tasks, TaskKind),
            "channels": (self.channels, Channel),
            "fates": (self.fates, MessageFate),
            "appointments": (self.appointments, AppointmentKind),
            "insured": (self.insured, Insured),
            "treatments": (self.treatments, Treatment),
        }
        missing = [
            f"{table}.{case.value}" for table, (words, cases) in tables.items() for case in cases if case not in words
        ]
        if missing:
            raise ValueError(f"nothing is said for {', '.join(missing)}")
        return self


def read_wording(path: Path = OWN_FILE) -> Wording:
    """Raises BadWordingFile, which names each fault and its place."""
    try:
        content: Any = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise BadWordingFile(f"{path} cannot be read: {type(error).__name__}") from None
    try:
        return Wording.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise BadWordingFile(f"{path}: {'; '.join(faults)}") from None
