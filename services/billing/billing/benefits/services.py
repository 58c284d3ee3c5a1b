"""The clinic's services as payers know them, read from YAML and checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from billing.x12.codes import SERVICE_TYPES
from contracts.money import Money

OWN_FILE = Path(__file__).with_name("services.yaml")


class BadServicesFile(ValueError):
    """A services file that cannot be worked with: every fault with its place."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _dollars(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError('must be dollars in quotes, such as "25.00"')
    try:
        money = Money.of(value)
    except (ArithmeticError, ValueError):
        raise ValueError('must be dollars with at most two decimals, such as "25.00"') from None
    if money.cents <= 0:
        raise ValueError("must be more than nothing")
    return money


Dollars = Annotated[Money, BeforeValidator(_dollars)]


class Range(_Row):
    """From the least to the most that one visit comes to."""

    low: Dollars
    high: Dollars

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.low.cents > self.high.cents:
            raise ValueError("low is more than high")
        return self


class ProcedureCode(_Row):
    """A HCPCS or CPT code, and from and to which day it may be billed."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z][0-9]{3}[0-9A-Z]$")]
    principal: bool = False
    begins: Annotated[date | None, Field(alias="from")] = None
    ends: Annotated[date | None, Field(alias="to")] = None

    @model_validator(mode="after")
    def _in_order(self) -> ProcedureCode:
        if self.begins and self.ends and self.begins > self.ends:
            raise ValueError(f"{self.code} ends before it begins")
        return self

    def exists_on(self, day: date) -> bool:
        return (self.begins is None or self.begins <= day) and (self.ends is None or day <= self.ends)


def _known_type(code: str) -> str:
    if code not in SERVICE_TYPES:
        raise ValueError(f"{code} is no X12 service type; put digits in quotes")
    return code


ServiceType = Annotated[str, BeforeValidator(str), BeforeValidator(_known_type)]


class Service(_Row):
    """One kind of visit."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,39}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    service_types: Annotated[tuple[ServiceType, ...], Field(min_length=1)]
    procedures: Annotated[tuple[ProcedureCode, ...], Field(min_length=1)]
    only_by_procedure: bool = False
    price: Range
    allowed: Range

    @model_validator(mode="after")
    def _can_be_billed(self) -> Service:
        codes = [one.code for one in self.procedures]
        if len(set(codes)) < len(codes):
            raise ValueError("procedures: a code stands twice")
        if not any(one.principal for one in self.procedures):
            raise ValueError("procedures: one at least has to be principal")
        if self.allowed.high.cents > self.price.high.cents:
            raise ValueError("allowed: no payer allows more than the price")
        return self

    def codes(self, day: date) -> tuple[str, ...]:
        """The procedures that may be billed on a day."""
        return tuple(one.code for one in self.procedures if one.exists_on(day))

    def principal_codes(self, day: date) -> tuple[str, ...]:
        return tuple(one.code for one in self.procedures if one.principal and one.exists_on(day))


class Catalogue(_Row):
    """All services, and with which payers they are under contract."""

    source: Annotated[str, StringConstraints(min_length=1)]
    checked: date
    in_network_with: frozenset[str]
    services: Annotated[tuple[Service, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_of_each(self) -> Catalogue:
        ids = [one.id for one in self.services]
        if doubled := sorted({id for id in ids if ids.count(id) > 1}):
            raise ValueError(f"services: {', '.join(doubled)} stands twice")
        return self

    def offer(self, payer_id: str) -> Offer:
        return Offer(self.services, payer_id in self.in_network_with)


@dataclass(frozen=True, slots=True)
class Offer:
    """The services as one payer's members are offered them. `in_network`: the clinic has a contract with that payer."""

    services: tuple[Service, ...]
    in_network: bool


def load_services(file: Path = OWN_FILE) -> Catalogue:
    """Raises BadServicesFile, which says what is wrong and where."""
    try:
        return Catalogue.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise BadServicesFile(f"{file.name} cannot be read: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise BadServicesFile(f"{file.name}: {faults}") from None
