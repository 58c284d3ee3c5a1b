"""Billing among real neighbours: the streams, and a payer gateway that answers as its members' scenarios say."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import yaml

from billing.__main__ import compose
from billing.payers.directory import OWN_FILE
from billing.settings import BillingSettings
from chassis.http import Role
from chassis.service import Service
from contracts.event import Event
from contracts.ids import AppointmentId, CoverageId
from contracts.intake import CoverageReported, PatientRegistered
from contracts.scheduling import AppointmentBooked, AppointmentKind
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from tests.chassis.front_desk import client
from tests.streams import Streams, streams
from tests.waiting import eventually

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2027, 3, 2, 12, 0, tzinfo=NEW_YORK)
VISIT = datetime(2027, 3, 4, 9, 0, tzinfo=NEW_YORK)
PATIENT = "patient_0198c5f2-0000-7000-8000-000000000001"

Settings = Callable[..., Any]


def registered(name: str = "Eleanor Whitfield", born: date | None = date(1984, 3, 12)) -> PatientRegistered:
    return PatientRegistered(name=name, email="someone@example.com", birth_date=born)


def reported(
    payer: str = "Aetna", member_id: str = "W100000001", id: str = "coverage_1", **facts: Any
) -> CoverageReported:
    return CoverageReported(coverage_id=CoverageId(id), payer=payer, member_id=member_id, source="typed", **facts)


def booked(starts_at: datetime = VISIT, id: str = "appointment_1") -> AppointmentBooked:
    return AppointmentBooked(
        appointment_id=AppointmentId(id),
        version=1,
        kind=AppointmentKind.ASSESSMENT,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        time_zone="America/New_York",
        clinician="Dr. Naomi Feld",
        room="Consulting room 1",
        place="88 Canal Street, Suite 200, Akron, OH 44308",
    )


def payers_file(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """The clinic's own payers, each with what `change` says of it."""
    own = yaml.safe_load(OWN_FILE.read_text())
    own["payers"] = [payer | change(payer) for payer in own["payers"]]
    path = folder / "payers.yaml"
    path.write_text(yaml.safe_dump(own))
    return path


@dataclass
class House:
    service: Service
    streams: Streams
    outside: httpx.AsyncClient
    """A client of the sandbox's controls."""

    async def say(self, *events: Event, patient: str = PATIENT) -> None:
        await self.streams.say(patient, *events, at=self.service.clock.now())

    async def behave(self, payer: str, **conduct: Any) -> None:
        (await self.outside.put(f"/control/payers/{payer}", json=conduct)).raise_for_status()

    async def asked(self, **query: Any) -> list[dict[str, Any]]:
        """What the gateway was asked, newest first."""
        return (await self.outside.get("/control/payer/questions", params=query)).raise_for_status().json()["questions"]

    async def coverages(self, patient: str = PATIENT) -> list[dict[str, Any]]:
        async with client(self.service.http, Role.BILLING) as reader:
            return (await reader.get(f"/patients/{patient}/coverages")).raise_for_status().json()["coverages"]

    async def verification(self, state: str, patient: str = PATIENT) -> dict[str, Any]:
        """Wait until the latest verification of the newest coverage is in a state, and give it."""

        async def there() -> dict[str, Any] | None:
            found = await self.coverages(patient)
            one = found[0]["verification"] if found else None
            return one if one and one["state"] == state else None

        return await eventually(there)

    async def evidence(self, verification_id: str) -> list[dict[str, Any]]:
        async with client(self.service.http, Role.BILLING) as reader:
            return (await reader.get(f"/verifications/{verification_id}")).raise_for_status().json()["asked"]


@asynccontextmanager
async def house(settings: Settings, now: datetime = NOON, **knobs: Any) -> AsyncIterator[House]:
    async with World(SandboxSettings(port=0, smtp_port=0)).running() as world:
        own = settings(
            BillingSettings, gateway_url=f"{world.http_url}/payer/real-time", **{"ask_timeout_seconds": 1.0, **knobs}
        )
        service = compose(own)
        service.clock.travel(now - service.clock.now())
        async with (
            service.running(),
            streams(own) as heard,
            httpx.AsyncClient(base_url=world.http_url) as controls,
        ):
            yield House(service, heard, controls)
