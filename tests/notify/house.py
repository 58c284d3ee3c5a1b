"""Notify among real neighbours: the streams, a mail server, and a carrier that calls back."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import yaml

from chassis.http import Role
from chassis.service import Service
from contracts.event import Event
from contracts.ids import AppointmentId, IntakeId
from contracts.intake import ConsentRecorded, Insured, PatientRegistered, Submitted
from contracts.scheduling import AppointmentBooked, AppointmentKind, AppointmentRescheduled
from notify.__main__ import compose
from notify.clinic import OWN_FILE
from notify.settings import NotifySettings
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from tests.chassis.front_desk import client
from tests.listening import listening
from tests.streams import Streams, streams
from tests.waiting import eventually

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2027, 3, 2, 12, 0, tzinfo=NEW_YORK)
VISIT = datetime(2027, 3, 4, 9, 0, tzinfo=NEW_YORK)
PHONE, EMAIL = "+13305550123", "maria@example.com"
ACCOUNT, TOKEN = "AC00000000000000000000000000000001", "a token of this test"

Settings = Callable[..., Any]


def registered(*, phone: str | None = PHONE, email: str | None = EMAIL) -> PatientRegistered:
    return PatientRegistered(name="Maria Lopez", phone=phone, email=email)


def consented(at: datetime = NOON) -> ConsentRecorded:
    return ConsentRecorded(kind="texts", wording="Text me.", wording_version="1", given_at=at)


def submitted(**facts: Any) -> Submitted:
    usual: dict[str, Any] = {
        "intake_id": IntakeId("intake_1"),
        "insured": Insured.YES,
        "in_danger": False,
        "card_received": False,
        "coverage_typed": True,
    }
    return Submitted(reference="SW-1", **{**usual, **facts})


def booked(*, urgent: bool = False, starts_at: datetime = VISIT, id: str = "appointment_1") -> AppointmentBooked:
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
        urgent=urgent,
    )


def moved(starts_at: datetime = VISIT - timedelta(days=1)) -> AppointmentRescheduled:
    facts = booked(starts_at=starts_at, urgent=True).model_dump() | {"version": 2}
    return AppointmentRescheduled(**facts, previously_starts_at=VISIT, cause="risk_flagged")


@dataclass
class House:
    service: Service
    streams: Streams
    world: World
    outside: httpx.AsyncClient
    """A client of the sandbox's pages and controls."""

    async def say(self, *events: Event, patient: str = "patient_1") -> None:
        await self.streams.say(patient, *events, at=self.service.clock.now())

    async def letters(self, count: int, to: str = EMAIL) -> list[dict[str, Any]]:
        """Wait for `count` letters, and give all that came, oldest first."""
        return await self._seen("/mailbox/messages", {"to": to}, count)

    async def texts(self, count: int, to: str = PHONE) -> list[dict[str, Any]]:
        return await self._seen("/carrier/messages", {"to": to}, count)

    async def behave(self, which: str, **conduct: Any) -> None:
        (await self.outside.put(f"/control/{which}", json=conduct)).raise_for_status()

    async def messages(self, role: Role = Role.STAFF, **query: Any) -> list[dict[str, Any]]:
        async with client(self.service.http, role) as reader:
            answer = await reader.get("/patients/patient_1/messages", params=query)
        return answer.raise_for_status().json()["messages"]

    async def fates(self, *expected: tuple[str, str, str]) -> None:
        """Wait until the messages of the patient are these: template, channel, fate."""

        async def settled() -> bool:
            found = [(one["template"], one["channel"], one["fate"]) for one in await self.messages()]
            return sorted(found) == sorted(expected)

        await eventually(settled)

    async def _seen(self, path: str, query: dict[str, Any], count: int) -> list[dict[str, Any]]:
        async def look() -> list[dict[str, Any]]:
            found = (await self.outside.get(path, params=query)).json()["messages"]
            return found if len(found) >= count else []

        return list(reversed(await eventually(look)))


@asynccontextmanager
async def house(settings: Settings, now: datetime = NOON, **knobs: Any) -> AsyncIterator[House]:
    listener = socket.create_server(("127.0.0.1", 0))
    public_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    outside = SandboxSettings(
        port=0,
        smtp_port=0,
        carrier_account=ACCOUNT,
        carrier_token=TOKEN,
        carrier_delivery_seconds=0.1,
        carrier_inbound_url=f"{public_url}/carrier/inbound",
    )
    async with World(outside).running() as world:
        own = settings(
            NotifySettings,
            smtp_host="127.0.0.1",
            smtp_port=world.smtp_port,
            carrier_url=f"{world.http_url}/carrier",
            carrier_account=ACCOUNT,
            carrier_token=TOKEN,
            **{"public_url": public_url, "smtp_seconds": 2, "carrier_seconds": 2, "seconds_per_send": 4, **knobs},
        )
        service = compose(own)
        service.clock.travel(now - service.clock.now())
        async with (
            service.running(),
            listening(service, listener),
            streams(own) as heard,
            httpx.AsyncClient(base_url=world.http_url) as browser,
        ):
            yield House(service, heard, world, browser)


def clinic_file(folder: Path, **changes: Any) -> Path:
    path = folder / "clinic.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(OWN_FILE.read_text()), **changes}))
    return path
