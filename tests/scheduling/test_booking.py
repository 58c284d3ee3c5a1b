"""Booking on the real Postgres and Kafka: one assessment for each intake, and nobody double-booked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from chassis.http import Role
from chassis.service import Service
from contracts.ids import IntakeId, new_event_id
from contracts.intake import RiskFlagged, RiskLevel, Submitted
from contracts.scheduling import AppointmentBooked, AppointmentRescheduled, AssessmentUnplaced
from scheduling.__main__ import compose
from scheduling.settings import SchedulingSettings
from tests.chassis.front_desk import client
from tests.scheduling.clinics import clinic_file
from tests.streams import Streams, streams
from tests.waiting import eventually

pytestmark = pytest.mark.engines

Settings = Callable[..., Any]
NEW_YORK = ZoneInfo("America/New_York")
MORNING = datetime(2027, 3, 2, 5, 0, tzinfo=NEW_YORK)
ONE_CLINICIAN: dict[str, Any] = {
    "clinicians": [{"number": 1, "name": "Dr. Ash", "skills": ["assessment"]}],
    "horizon_days": 1,
}


def submitted(intake: str, *, in_danger: bool = False) -> Submitted:
    return Submitted(
        intake_id=IntakeId(intake), reference="SW-1", in_danger=in_danger, card_received=False, coverage_typed=False
    )


@dataclass
class Desk:
    service: Service
    streams: Streams

    async def ask(self, patient: str, *, in_danger: bool = False) -> None:
        await self.streams.say(patient, submitted(f"intake_of_{patient}", in_danger=in_danger))

    async def booked(self, patient: str) -> AppointmentBooked:
        return (await self.streams.heard(AppointmentBooked, about=patient))[-1]

    async def count(self, table: str) -> int:
        async with self.service.database.connection() as connection:
            return await connection.fetchval(f"SELECT count(*) FROM {table}")

    def client(self, role: Role | None = Role.STAFF) -> httpx.AsyncClient:
        return client(self.service.http, role)


@asynccontextmanager
async def desk(settings: Settings, folder: Path, now: datetime = MORNING, **clinic: Any) -> AsyncIterator[Desk]:
    knobs: SchedulingSettings = settings(SchedulingSettings, clinic_file=clinic_file(folder, **clinic))
    service = compose(knobs)
    service.clock.travel(now - service.clock.now())
    async with service.running(), streams(knobs) as heard:
        yield Desk(service, heard)


async def _none(clinic: Desk, table: str) -> bool:
    return await clinic.count(table) == 0


def wall(event: AppointmentBooked | AppointmentRescheduled) -> str:
    return event.starts_at.astimezone(NEW_YORK).strftime("%m-%d %H:%M")


async def test_somebody_who_asks_for_help_is_booked_at_the_earliest_time(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        await clinic.ask("patient_1")
        booked = await clinic.booked("patient_1")
        assert wall(booked) == "03-02 09:00"
        assert (booked.version, booked.urgent, booked.time_zone) == (1, False, "America/New_York")
        assert booked.place == "88 Canal Street, Akron"


async def test_the_same_intake_is_booked_once_however_often_it_is_said(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        event, id = submitted("intake_1"), new_event_id()
        await clinic.streams.say("patient_1", event, id=id)
        await clinic.streams.say("patient_1", event, id=id)
        await clinic.streams.say("patient_1", event)
        await clinic.streams.say("patient_1", submitted("intake_2"))
        assert len(await clinic.streams.heard(AppointmentBooked, 2)) == 2
        assert await clinic.count("appointment") == 2


async def test_many_at_once_are_never_double_booked_and_nobody_is_parked(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        await asyncio.gather(*(clinic.ask(f"patient_{n}") for n in range(40)))
        booked = await clinic.streams.heard(AppointmentBooked, 40)
        assert len({(one.starts_at, one.clinician) for one in booked}) == 40
        assert len({(one.starts_at, one.room) for one in booked}) == 40
        assert max(map(wall, booked)) <= "03-11 00:00"
        assert await clinic.count("parked") == 0


async def test_two_replicas_never_double_book(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        other = compose(settings(SchedulingSettings, clinic_file=tmp_path / "clinic.yaml"))
        other.clock.travel(MORNING - other.clock.now())
        async with other.running():
            await asyncio.gather(*(clinic.ask(f"patient_{n}") for n in range(40)))
            booked = await clinic.streams.heard(AppointmentBooked, 40)
        assert len({(one.starts_at, one.clinician) for one in booked}) == 40
        assert len({(one.starts_at, one.room) for one in booked}) == 40
        assert await clinic.count("appointment") == 40
        assert await clinic.count("parked") == 0


async def test_whoever_is_beaten_to_a_time_gets_the_next_one(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path, **ONE_CLINICIAN) as clinic:
        nine = MORNING.replace(hour=9).astimezone(UTC)
        other = await asyncpg.connect(clinic.service.settings.database_url.get_secret_value())
        transaction = other.transaction()
        await transaction.start()
        # Held by somebody who books past the queue and has not committed yet: booking has to wait for the outcome.
        await other.execute(
            "INSERT INTO appointment (id, patient_id, kind, urgent, starts_at, ends_at, clinician, room, booked_at) "
            "VALUES ('a', 'p', 'other', false, $1, $2, 'Dr. Ash', 'Room A', $1)",
            nine,
            nine + timedelta(hours=1),
        )
        await other.execute(
            "INSERT INTO resource_hold (appointment_id, resource_no, during) VALUES ('a', 1, tstzrange($1, $2))",
            nine,
            nine + timedelta(hours=1),
        )
        await clinic.ask("patient_1")
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        await eventually(lambda: other.fetchval(blocked))
        await transaction.commit()
        await other.close()
        assert wall(await clinic.booked("patient_1")) == "03-02 10:00"
        assert await clinic.count("parked") == 0


async def test_the_database_itself_refuses_an_overlap(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        await clinic.ask("patient_1")
        await clinic.booked("patient_1")
        async with clinic.service.database.connection() as connection:
            with pytest.raises(asyncpg.ExclusionViolationError):
                await connection.execute(
                    "INSERT INTO resource_hold (appointment_id, resource_no, during) "
                    "SELECT appointment_id, resource_no, "
                    "tstzrange(upper(during) - interval '1 minute', upper(during)) FROM resource_hold"
                )


async def test_a_person_in_danger_gets_the_time_that_was_held_back(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path, **ONE_CLINICIAN) as clinic:
        for n in range(2):
            await clinic.ask(f"patient_{n}")
            await clinic.booked(f"patient_{n}")
        await clinic.ask("patient_calm")
        await clinic.ask("patient_in_danger", in_danger=True)
        urgent = await clinic.booked("patient_in_danger")
        assert (wall(urgent), urgent.urgent) == ("03-02 11:00", True)
        assert wall(await clinic.booked("patient_calm")) == "03-03 09:00"


async def test_a_flag_that_stands_already_makes_the_assessment_urgent(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        flagged = RiskFlagged(level=RiskLevel.UNASSESSED, source="intake_form")
        await clinic.streams.say("patient_1", flagged, submitted("intake_1"))
        assert (await clinic.booked("patient_1")).urgent


async def test_a_flag_that_comes_later_brings_the_assessment_forward_and_frees_its_time(
    settings: Settings, tmp_path: Path
) -> None:
    async with desk(settings, tmp_path, **{**ONE_CLINICIAN, "horizon_days": 3}) as clinic:
        for n in range(3):
            await clinic.ask(f"patient_{n}")
            booked = await clinic.booked(f"patient_{n}")
        assert wall(booked) == "03-03 09:00"
        await clinic.streams.say("patient_2", RiskFlagged(level=RiskLevel.HIGH, source="screening"))
        (moved,) = await clinic.streams.heard(AppointmentRescheduled)
        assert (wall(moved), moved.version, moved.urgent) == ("03-02 11:00", 2, True)
        assert moved.previously_starts_at == booked.starts_at
        await clinic.ask("patient_3")
        assert wall(await clinic.booked("patient_3")) == "03-03 09:00"


async def test_a_flag_never_makes_the_assessment_later(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        await clinic.ask("patient_1")
        before = await clinic.booked("patient_1")
        await clinic.streams.say("patient_1", RiskFlagged(level=RiskLevel.HIGH, source="screening"))
        await clinic.streams.say("patient_1", submitted("intake_after"))
        await clinic.streams.heard(AppointmentBooked, 2)
        async with clinic.client() as staff:
            shown = (await staff.get("/patients/patient_1/appointments")).json()["appointments"]
        (kept,) = [one for one in shown if one["intake_id"] == "intake_of_patient_1"]
        assert datetime.fromisoformat(kept["starts_at"]) == before.starts_at
        assert (kept["urgent"], kept["version"]) == (True, 1)


async def test_when_nothing_is_free_staff_hears_of_it_once_and_it_is_tried_again(
    settings: Settings, tmp_path: Path
) -> None:
    async with desk(settings, tmp_path, **ONE_CLINICIAN) as clinic:
        for n in range(4):
            await clinic.ask(f"patient_{n}")
            await clinic.booked(f"patient_{n}")
        await clinic.ask("patient_waiting")
        (unplaced,) = await clinic.streams.heard(AssessmentUnplaced)
        assert (unplaced.searched_until.isoformat(), unplaced.urgent) == ("2027-03-03", False)
        async with clinic.client() as staff:
            (waiting,) = (await staff.get("/unplaced-assessments")).json()["unplaced"]
        assert waiting["patient_id"] == "patient_waiting"
        clinic.service.clock.travel(timedelta(minutes=31))

        async def tried_again() -> bool:
            async with clinic.service.database.connection() as connection:
                due = await connection.fetchval("SELECT due_at FROM timer")
                return due > unplaced.trying_again_at

        await eventually(tried_again)
        clinic.service.clock.travel(timedelta(days=1))
        await clinic.ask("patient_waiting")
        assert wall(await clinic.booked("patient_waiting")) == "03-04 09:00"
        clinic.service.clock.travel(timedelta(minutes=31))
        await eventually(lambda: _none(clinic, "timer"))
        assert len(await clinic.streams.heard(AssessmentUnplaced)) == 1
        assert await clinic.count("unplaced_assessment") == 0
        assert await clinic.count("appointment") == 5


async def test_somebody_waiting_who_turns_out_to_be_in_danger_is_placed_at_once(
    settings: Settings, tmp_path: Path
) -> None:
    async with desk(settings, tmp_path, **{**ONE_CLINICIAN, "horizon_days": 1}) as clinic:
        for n in range(4):
            await clinic.ask(f"patient_{n}")
            await clinic.booked(f"patient_{n}")
        await clinic.ask("patient_waiting")
        await clinic.streams.heard(AssessmentUnplaced)
        await clinic.streams.say("patient_waiting", RiskFlagged(level=RiskLevel.HIGH, source="screening"))
        booked = await clinic.booked("patient_waiting")
        assert (wall(booked), booked.urgent) == ("03-02 11:00", True)


async def test_a_search_begins_where_the_last_one_ended_until_the_clinic_changes(
    settings: Settings, tmp_path: Path
) -> None:
    async with desk(settings, tmp_path, **{**ONE_CLINICIAN, "horizon_days": 5}) as clinic:
        for n in range(7):
            await clinic.ask(f"patient_{n}")
            booked = await clinic.booked(f"patient_{n}")
        assert wall(booked) == "03-05 09:00"
        async with clinic.service.database.connection() as connection:
            floors = await connection.fetch("SELECT urgent, first_day::text FROM search_floor ORDER BY urgent")
        assert [tuple(floor) for floor in floors] == [(False, "2027-03-05"), (True, "-infinity")]
    async with desk(settings, tmp_path, horizon_days=5) as clinic:
        await clinic.ask("patient_new")
        assert wall(await clinic.booked("patient_new")) == "03-02 09:00"


async def every_page(staff: httpx.AsyncClient, address: str) -> AsyncIterator[dict[str, Any]]:
    """Two rows a page."""
    query = {"limit": "2"}
    while True:
        page = (await staff.get(address, params=query)).json()
        yield page
        if page["after"] is None:
            return
        query["after"] = page["after"]


async def test_staff_pages_through_one_persons_appointments_and_through_those_who_wait_for_one(
    settings: Settings, tmp_path: Path
) -> None:
    async with desk(settings, tmp_path, **ONE_CLINICIAN) as clinic:
        for n in range(4):
            await clinic.streams.say("patient_1", submitted(f"intake_{n}"))
        await clinic.streams.heard(AppointmentBooked, 4)
        for n in range(3):
            await clinic.ask(f"patient_waiting_{n}")
            await clinic.streams.heard(AssessmentUnplaced, n + 1)  # one after another: lanes of two people run at once
        async with clinic.client() as staff:
            of_one = [page async for page in every_page(staff, "/patients/patient_1/appointments")]
            waiting = [page async for page in every_page(staff, "/unplaced-assessments")]
    starts = [one["starts_at"] for page in of_one for one in page["appointments"]]
    assert (len(of_one), starts) == (2, sorted(set(starts), reverse=True))
    assert len(starts) == 4
    assert [one["patient_id"] for page in waiting for one in page["unplaced"]] == [
        f"patient_waiting_{n}" for n in range(3)
    ]


async def test_staff_pages_through_the_appointments_and_each_look_is_recorded(
    settings: Settings, tmp_path: Path
) -> None:
    async with desk(settings, tmp_path) as clinic:
        for n in range(5):
            await clinic.ask(f"patient_{n}")
        await clinic.streams.heard(AppointmentBooked, 5)
        async with clinic.client() as staff:
            pages = [page async for page in every_page(staff, "/appointments")]
        seen = [one["patient_id"] for page in pages for one in page["appointments"]]
        assert sorted(seen) == [f"patient_{n}" for n in range(5)]
        async with clinic.client(Role.AUDITOR) as auditor:
            looks = (await auditor.get("/access-log", params={"subject": seen[0]})).json()["accesses"]
        assert [(look["what"], look["role"]) for look in looks] == [("appointments", "staff")]


async def test_a_question_that_makes_no_sense_is_answered_with_what_does(settings: Settings, tmp_path: Path) -> None:
    questions = [
        ({"from": "2027-03-02T00:00:00Z", "to": "2027-03-01T00:00:00Z"}, "to"),
        ({"from": "2027-03-02T00:00:00Z", "to": "2028-03-01T00:00:00Z"}, "to"),
        ({"from": "0001-01-01T00:00:00Z"}, "from"),
        ({"from": "9999-12-31T00:00:00Z"}, "from"),
        ({"from": "2027-03-02T00:00:00"}, "from"),
        ({"after": "yesterday"}, "after"),
        ({"after": "0001-01-01T00:00:00+14:00~a"}, "after"),
        ({"limit": "201"}, "limit"),
    ]
    async with desk(settings, tmp_path) as clinic, clinic.client() as staff:
        for query, field in questions:
            answer = await staff.get("/appointments", params=query)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"].rpartition(".")[2] == field
        for address in ("/patients/%00/appointments", "/appointments?after=2027-03-02T00:00:00Z~%00"):
            assert (await staff.get(address)).status_code == 400, "no database can hold that character"


async def test_nobody_else_may_look(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        for role, status in ((None, 401), (Role.BILLING, 403), (Role.CLINICIAN, 200)):
            async with clinic.client(role) as reader:
                assert (await reader.get("/appointments")).status_code == status


async def test_bookings_are_measured(settings: Settings, tmp_path: Path) -> None:
    async with desk(settings, tmp_path) as clinic:
        await clinic.ask("patient_1")
        await clinic.booked("patient_1")
        async with clinic.client(None) as reader:
            lines = (await reader.get("/metrics")).text.splitlines()
        assert 'stillwater_appointments_booked_total{kind="assessment",urgency="routine"} 1.0' in lines
        assert 'stillwater_resource_booked_seconds_total{resource="room"} 3600.0' in lines
        assert 'stillwater_appointment_wait_seconds_count{kind="assessment",urgency="routine"} 1.0' in lines
