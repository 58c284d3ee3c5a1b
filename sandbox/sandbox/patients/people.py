"""Made-up people (`People`, `cast`): who they are, how they are insured and what they put on the form."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sandbox.payer.catalogue import Member, Payer, catalogue

if TYPE_CHECKING:
    from faker import Faker

CAST_SIZE = 7
YOUNGEST, OLDEST = 19, 82

# 555-0100 to 555-0197: the carrier leaves the last two of the fictional range undelivered.
LINES = 98
_STRIDE = 7919
"""Prime, so that walking the numbers by it meets each one once."""

_LETTERS = "ACDEFGHJKMNPQRTUVWXY"
"""No letter that a camera takes for a digit."""

_TODAY = date(2026, 1, 1)
"""Ages are reckoned from a fixed day, so that a seed always gives the same people."""

Card = Literal["clear", "unreadable"]


class Scenario(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    insured: Literal["yes", "no", "unsure"]
    member: str | None = None
    card: Card | None = None
    types: tuple[Literal["payer", "member_id"], ...]
    in_danger: bool = False
    weight: int = Field(ge=0)


class _Tables(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    scenarios: dict[str, Scenario]
    treatments: dict[Literal["iv_ketamine", "esketamine", "lozenge", "unsure"], int]
    consenting_to_texts: float = Field(ge=0, le=1)
    reasons: tuple[str, ...]
    area_codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Insurance:
    """What is true of a person's insurance, whether or not they write it down."""

    payer: Payer
    member_id: str
    group: str
    plan: str
    member_scenario: str


@dataclass(frozen=True, slots=True)
class Person:
    scenario: str
    """A key of people.yaml."""
    seed: int
    """Of this person alone: what is drawn of them, such as their card, is drawn from it."""
    first_name: str
    last_name: str
    birth_date: date
    phone: str
    """E.164, in the range kept for fiction."""
    email: str
    reason: str
    treatment: str
    insured: str
    consent_texts: bool
    in_danger: bool
    insurance: Insurance | None
    card: Card | None
    types: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def form_fields(self) -> dict[str, str]:
        """The public form as this person fills it in; the photos go beside it."""
        typed = {"payer": self.insurance.payer.name, "member_id": self.insurance.member_id} if self.insurance else {}
        fields = {
            "name": self.name,
            "phone": self.phone,
            "email": self.email,
            "birth_date": self.birth_date.isoformat(),
            "reason": self.reason,
            "treatment": self.treatment,
            "insured": self.insured,
            **{name: value for name, value in typed.items() if name in self.types},
            "in_danger": "yes" if self.in_danger else "no",
        }
        return {**fields, "consent_texts": "yes"} if self.consent_texts else fields

    def form_json(self) -> dict[str, object]:
        """The same as a program sends it."""
        answers = {"in_danger": self.in_danger, **({"consent_texts": True} if self.consent_texts else {})}
        return {**self.form_fields(), **answers}

    def membership(self) -> Member | None:
        """What the payer has on record of them; the body of `POST /control/members`."""
        if self.insurance is None:
            return None
        return Member(
            payer=self.insurance.payer.key,
            member_id=self.insurance.member_id,
            first=self.first_name,
            last=self.last_name,
            born=self.birth_date,
            scenario=self.insurance.member_scenario,
        )

    def card_fields(self) -> dict[str, str]:
        """What their insurance card says, and in which layout; empty without insurance."""
        if self.insurance is None:
            return {}
        return {
            "layout": self.insurance.payer.card_layout,
            "payer": self.insurance.payer.card_name,
            "member_id": self.insurance.member_id,
            "group": self.insurance.group,
            "holder": self.name,
            "plan": self.insurance.plan,
        }


class People:
    """An endless file of people. The same seed gives the same people in the same order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._faker = _faker(seed)
        self._number = 0
        self._first_line = self._random.randrange(1_000_000)
        tables = _tables()
        self._arriving = list(tables.scenarios)
        self._weights = [scenario.weight for scenario in tables.scenarios.values()]

    def __iter__(self) -> Iterator[Person]:
        return self

    def __next__(self) -> Person:
        return self.with_scenario(self._random.choices(self._arriving, self._weights)[0])

    def with_scenario(self, name: str) -> Person:
        """The next person, in a given scenario. Raises KeyError for one that people.yaml does not hold."""
        tables, chance = _tables(), self._random
        scenario = tables.scenarios[name]
        first, last = self._faker.first_name(), self._faker.last_name()
        self._number += 1
        return Person(
            scenario=name,
            seed=chance.getrandbits(31),
            first_name=first,
            last_name=last,
            birth_date=_TODAY - timedelta(days=chance.randrange(YOUNGEST * 365, OLDEST * 365)),
            phone=self._phone(),
            email=self._email(first, last),
            reason=chance.choice(tables.reasons),
            treatment=chance.choices(list(tables.treatments), list(tables.treatments.values()))[0],
            insured=scenario.insured,
            consent_texts=chance.random() < tables.consenting_to_texts,
            in_danger=scenario.in_danger,
            insurance=self._insurance(scenario.member) if scenario.member else None,
            card=scenario.card,
            types=scenario.types,
        )

    def _phone(self) -> str:
        codes = _tables().area_codes
        line = (self._first_line + self._number * _STRIDE) % (len(codes) * LINES)
        return f"+1{codes[line // LINES]}55501{line % LINES:02d}"

    def _email(self, first: str, last: str) -> str:
        local = f"{first}.{last}.{self._number}{self._random.randrange(100):02d}".lower()
        return f"{local}@{self._random.choice(('example.com', 'example.org'))}"

    def _insurance(self, member_scenario: str) -> Insurance:
        payers = catalogue()
        payer = self._random.choice(list(payers.payers.values()))
        plan = payers.plans[payers.scenarios[member_scenario].plan]
        return Insurance(
            payer=payer,
            member_id=_number_like(payer.example, self._random),
            group=_number_like("%######", self._random),
            plan=plan.name,
            member_scenario=member_scenario,
        )


def cast(seed: int) -> list[Person]:
    """One person for each way of coming to the clinic, always in this order: covered (with two photos), uninsured,
    without_card, unreadable_card, inactive, payer_silent, in_danger. All of them consent to texts."""
    people = People(seed)
    names = list(_tables().scenarios)[:CAST_SIZE]
    return [_consenting(people.with_scenario(name)) for name in names]


def _consenting(person: Person) -> Person:
    return replace(person, consent_texts=True)


def _number_like(example: str, chance: random.Random) -> str:
    drawn = {
        "#": lambda: chance.choice("0123456789"),
        "%": lambda: chance.choice("123456789"),
        "@": lambda: chance.choice(_LETTERS),
    }
    return "".join(drawn[sign]() if sign in drawn else sign for sign in example)


def _faker(seed: int) -> "Faker":
    from faker import Faker

    faker = Faker("en_US", providers=["faker.providers.person"])
    faker.seed_instance(seed)
    return faker


@cache
def _tables() -> _Tables:
    text = files("sandbox.patients").joinpath("people.yaml").read_text(encoding="utf-8")
    raw: Any = yaml.safe_load(text)
    tables = _Tables.model_validate(raw)
    known = catalogue().scenarios
    for name, scenario in tables.scenarios.items():
        if scenario.member is not None and scenario.member not in known:
            raise ValueError(f"people.yaml, {name}: no payer scenario is called {scenario.member!r}")
    return tables
