"""The payers, plans, scenarios and members of the data files beside this one, checked when read."""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class State(StrEnum):
    HEALTHY = "healthy"
    SLOW = "slow"
    """Answers after `seconds`."""
    HANGING = "hanging"
    """Takes the question and never answers."""
    BROKEN = "broken"
    """Answers with HTTP `status`."""
    REFUSING = "refusing"
    """Answers in X12 that it cannot respond now: AAA 42."""
    CUT_OFF = "cut_off"
    """Closes the connection in the middle of the answer."""
    GARBAGE = "garbage"
    """Answers with something that is not X12."""


class Conduct(_Entry):
    """How a payer behaves, by a member's scenario or by `PUT /control/payers/{payer}`."""

    state: State = State.HEALTHY
    seconds: float = Field(default=5, ge=0, le=600)
    status: int = Field(default=500, ge=400, le=599)
    times: int | None = Field(default=None, ge=1)
    """For how many questions; always, if absent."""


def _compiles(pattern: str) -> str:
    re.compile(pattern)
    return pattern


class Payer(_Entry):
    key: str
    id: str
    """NM109 with qualifier PI."""
    name: str
    pattern: Annotated[str, AfterValidator(_compiles)]
    example: str
    card_name: str
    """As its cards print it."""
    card_layout: str
    """A file of sandbox/card_layouts."""
    answers_ahead: Literal["end_of_month"] | Annotated[int, Field(ge=0)]


class Entity(_Entry):
    role: str
    """NM101 of loop 2120."""
    name: str
    id: str
    telephone: str


class Benefit(_Entry):
    """One EB of a plan. Codes as X12 005010X279A1 writes them."""

    kind: str
    level: str = ""
    types: tuple[str, ...] = ()
    insurance: str = ""
    plan: bool = False
    period: str = ""
    amount: Decimal | None = None
    percent: Decimal | None = None
    """0.2 is 20 %."""
    quantity_unit: str = ""
    quantity: Decimal | None = None
    authorization: Literal["", "Y", "N", "U"] = ""
    network: Literal["", "Y", "N", "U", "W"] = ""
    counts: Literal["deductible", "out_of_pocket", "visits"] | None = None
    message: str = ""
    entity: Entity | None = None


class Plan(_Entry):
    name: str
    insurance: str
    deductible: Decimal
    out_of_pocket: Decimal
    visits: int
    benefits: tuple[Benefit, ...]

    def __hash__(self) -> int:
        # The catalogue holds each plan once: by identity, answers can be kept without hashing every benefit.
        return id(self)


class Rejection(_Entry):
    loop: Literal["request", "source", "receiver", "subscriber", "dependent"] = "subscriber"
    """2000A, 2100A, 2100B, 2100C or 2100D; the patient's, where that is a dependent, for the last two."""
    code: str
    valid: Literal["Y", "N"] = "N"
    next_step: str = "C"


class Twist(StrEnum):
    OTHER_PATIENT = "other_patient"
    WRONG_CONTROL_NUMBER = "wrong_control_number"
    TWICE = "twice"
    REPLAYED = "replayed"
    """From the second question on, the answer to the first once more, as stale caches give it."""
    REFUSED_999 = "refused_999"


class Scenario(_Entry):
    says: str
    plan: str = "choice_ppo"
    ended: date | None = None
    visits_left: int | None = None
    rejection: Rejection | None = None
    conduct: Conduct | None = None
    twist: Twist | None = None


class Dependent(_Entry):
    first: str
    last: str
    born: date


class Member(_Entry):
    """One subscriber as the payer has them on record."""

    payer: str
    member_id: str = Field(min_length=1, max_length=30)
    first: str = Field(min_length=1, max_length=35)
    last: str = Field(min_length=1, max_length=60)
    born: date
    scenario: str = "covered"
    dependents: tuple[Dependent, ...] = ()


class Catalogue(_Entry):
    payers: dict[str, Payer]
    plans: dict[str, Plan]
    scenarios: dict[str, Scenario]
    members: tuple[Member, ...]
    mix: tuple[str, ...]
    """The scenarios that the mode `mix` draws from."""

    def payer(self, key_or_id: str) -> Payer | None:
        """By our key or by the payer's id."""
        return self.payers.get(key_or_id) or self._by_id.get(key_or_id)

    @cached_property
    def _by_id(self) -> dict[str, Payer]:
        return {payer.id: payer for payer in self.payers.values()}

    def problem_with(self, member: Member) -> str | None:
        """Why `member` could not be on record, in words; None if it could."""
        if member.payer not in self.payers:
            return f"no payer is called {member.payer!r}; there are {', '.join(self.payers)}"
        if member.scenario not in self.scenarios:
            return f"no scenario is called {member.scenario!r}; there are {', '.join(self.scenarios)}"
        return None


@cache
def catalogue() -> Catalogue:
    """Read and check the data files. Raises ValueError where they contradict each other."""
    payers, scenarios = _load("payers")["payers"], _load("scenarios")
    read = Catalogue.model_validate(
        {
            "payers": {key: {"key": key, **payer} for key, payer in payers.items()},
            "plans": _load("plans")["plans"],
            "scenarios": scenarios["scenarios"],
            "members": _load("members")["members"],
            "mix": scenarios["mix"],
        }
    )
    for scenario in read.scenarios.values():
        if scenario.plan not in read.plans:
            raise ValueError(f"scenarios.yaml names the plan {scenario.plan!r}, which plans.yaml does not hold")
    if missing := [name for name in read.mix if name not in read.scenarios]:
        raise ValueError(f"scenarios.yaml: the mix names {', '.join(missing)}, which are no scenarios")
    for member in read.members:
        if problem := read.problem_with(member):
            raise ValueError(f"members.yaml, {member.member_id}: {problem}")
    return read


def _load(name: str) -> Any:
    text = files("sandbox.payer").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe
