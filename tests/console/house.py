"""The console among streams that say what they like, and its pages as a browser reaches them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from chassis.http import Role
from chassis.service import Service
from chassis.tokens import issue
from console.__main__ import compose
from console.settings import ConsoleSettings
from contracts.billing import CoverageInactive, CoverageUndetermined, CoverageVerified, Owner, VerificationRequested
from contracts.event import Event
from contracts.ids import AppointmentId, CoverageId, EventId, IntakeId, MessageId, VerificationId
from contracts.intake import CoverageReported, Insured, PatientRegistered, RiskFlagged, RiskLevel, Submitted
from contracts.notify import Channel, MessageDelivered, MessageFailed, MessageSent
from contracts.scheduling import AppointmentBooked, AppointmentKind
from tests.chassis.front_desk import client
from tests.listening import listening
from tests.services import TOKEN_KEY
from tests.streams import Streams, streams
from tests.waiting import eventually

Settings = Callable[..., Any]
NOW = datetime.now(UTC)


def patient(number: int = 1) -> str:
    return f"patient_0198c5f2-0000-7000-8000-{number:012}"


def registered(name: str = "Eleanor Whitfield") -> PatientRegistered:
    return PatientRegistered(name=name, phone="+13305550123", email="eleanor@example.com", birth_date=date(1984, 3, 12))


def submitted(number: int = 1, *, in_danger: bool = False) -> Submitted:
    return Submitted(
        intake_id=IntakeId(f"intake_{number}"),
        reference=f"ABCD-{number + 2222}",
        insured=Insured.YES,
        in_danger=in_danger,
        card_received=False,
        coverage_typed=True,
    )


def flagged() -> RiskFlagged:
    return RiskFlagged(level=RiskLevel.UNASSESSED, source="intake_form")


def reported(number: int = 1) -> CoverageReported:
    return CoverageReported(coverage_id=CoverageId(f"coverage_{number}"), payer="Aetna", member_id="W1", source="typed")


def _question(number: int) -> dict[str, Any]:
    return {
        "verification_id": VerificationId(f"verification_{number}"),
        "coverage_id": CoverageId(f"coverage_{number}"),
        "payer_id": "60054",
        "payer": "Aetna",
        "service_date": NOW.date(),
    }


def requested(number: int = 1) -> VerificationRequested:
    return VerificationRequested(**_question(number), service_types=("30",))


def verified(number: int = 1) -> CoverageVerified:
    return CoverageVerified(**_question(number), plan="Choice PPO", answered_at=NOW)


def inactive(number: int = 1) -> CoverageInactive:
    return CoverageInactive(**_question(number), cause="The payer says that the plan is not active.", answered_at=NOW)


def undetermined(number: int = 1) -> CoverageUndetermined:
    return CoverageUndetermined(
        **_question(number),
        cause_code="timed_out",
        cause="Aetna has not answered in time.",
        owner=Owner.PAYER,
        asking_again_at=NOW + timedelta(minutes=5),
    )


def booked(number: int = 1) -> AppointmentBooked:
    starts_at = NOW + timedelta(days=2)
    return AppointmentBooked(
        appointment_id=AppointmentId(f"appointment_{number}"),
        version=1,
        kind=AppointmentKind.ASSESSMENT,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        time_zone="America/New_York",
        clinician="Dr. Naomi Feld",
        room="Consulting room 1",
        place="88 Canal Street, Suite 200, Akron, OH 44308",
    )


def texted(number: int = 1) -> tuple[MessageSent, MessageDelivered]:
    id = MessageId(f"message_{number}")
    sent = MessageSent(
        message_id=id,
        purpose=f"appointment_booked:appointment_{number}:1",
        template="appointment_booked",
        channel=Channel.SMS,
        sent_at=NOW,
    )
    return sent, MessageDelivered(message_id=id, channel=Channel.SMS)


def failed(number: int = 1, channel: Channel = Channel.EMAIL) -> MessageFailed:
    return MessageFailed(
        message_id=MessageId(f"message_failed_{number}"),
        purpose=f"appointment_booked:appointment_{number}:1",
        template="appointment_booked",
        channel=channel,
        cause="mailbox_unavailable",
    )


@dataclass
class House:
    service: Service
    streams: Streams
    address: str

    async def say(self, *events: Event, about: str = "", id: EventId | None = None) -> None:
        await self.streams.say(about or patient(), *events, id=id, at=self.service.clock.now())

    def signed_in(self, role: Role = Role.STAFF) -> str:
        """The address that signs a browser in."""
        return f"{self.address}/#token={self.token(role)}"

    def token(self, role: Role = Role.STAFF) -> str:
        return issue(TOKEN_KEY, actor="Nell Carver", role=role, ttl=timedelta(hours=1))

    async def mark_done(self, task: dict[str, Any], actor: str = "Nell Carver") -> httpx.Response:
        async with client(self.service.http, Role.STAFF, actor) as marker:
            return await marker.post(f"/api/tasks/{task['id']}/done", json={"version": task["version"]})

    async def asked(self, path: str, role: Role = Role.STAFF, **query: Any) -> dict[str, Any]:
        async with client(self.service.http, role) as reader:
            return (await reader.get(path, params=query)).raise_for_status().json()

    async def known(self, number: int, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until that holds of what is known of somebody."""

        async def look() -> dict[str, Any] | None:
            async with client(self.service.http, Role.STAFF) as reader:
                answer = await reader.get(f"/api/patients/{patient(number)}")
            found = answer.json()
            return found if answer.is_success and holds(found) else None

        found = await eventually(look, within=30)
        assert found is not None
        return found


@asynccontextmanager
async def house(settings: Settings, **knobs: Any) -> AsyncGenerator[House]:
    own = settings(ConsoleSettings, **{"live_interval_seconds": 0.1, "live_refresh_seconds": 1.0, **knobs})
    service = compose(own)
    async with service.running(), streams(own) as heard, listening(service) as address:
        yield House(service, heard, address)
