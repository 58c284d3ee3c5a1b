"""What becomes of what should not come, on the real broker: every oddity has one written fate."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from chassis.outside import OutsideTask
from chassis.records import Record
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.transaction import Transaction
from contracts.envelope import Envelope, Headers
from contracts.ids import EventId, new_event_id
from contracts.intake import PatientRegistered
from tests.notify.house import booked, house, registered, submitted
from tests.waiting import eventually

pytestmark = pytest.mark.engines

Settings = Callable[..., ServiceSettings]
TOPIC = "intake.events"


@dataclass
class Clinic:
    """A service that writes down the names it is told, and a broker that anybody may write to."""

    service: Service
    producer: AIOKafkaProducer
    wait: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while names may be written down."""
    asks_payer: bool = False

    async def note(self, tx: Transaction, event: PatientRegistered, about: Envelope) -> None:
        await self.wait.wait()
        await tx.connection.execute("INSERT INTO note (said) VALUES ($1)", event.name)
        if self.asks_payer:
            await tx.ask_outside("payer", about.id, {})

    async def send(self, body: bytes, headers: Headers, key: bytes = b"patient_1") -> None:
        topic = self.service.settings.topic_prefix + TOPIC
        await self.producer.send_and_wait(topic, body, key=key, headers=headers)

    async def noted(self, *names: str) -> None:
        async def seen() -> bool:
            return sorted(await self._column("SELECT said FROM note")) == sorted(names)

        await eventually(seen, within=30)

    async def parked(self) -> list[str]:
        return await self._column("SELECT reason || ': ' || cause FROM parked ORDER BY id")

    async def counted(self, outcome: str, count: int, type: str = PatientRegistered.type) -> None:
        """Wait until so many are counted: that is done after the commit by which their effect can be seen."""
        labels = {"type": type, "outcome": outcome}

        async def seen() -> bool:
            return self.service.registry.get_sample_value("stillwater_events_applied_total", labels) == count

        await eventually(seen, within=60)

    async def _column(self, sql: str) -> list[Any]:
        async with self.service.database.connection() as connection:
            return [row[0] for row in await connection.fetch(sql)]


def envelope(id: EventId | None = None, type: str = PatientRegistered.type) -> Headers:
    id = id or new_event_id()
    return Envelope(id, type, "stillwater/elsewhere", datetime.now(UTC), "patient_1", 1, id).to_headers()


def without(headers: Headers, name: str) -> Headers:
    return [(one, value) for one, value in headers if one != name]


def named(name: str) -> bytes:
    return PatientRegistered(name=name, email="someone@example.org").model_dump_json().encode()


@asynccontextmanager
async def clinic(settings: ServiceSettings, folder: Path) -> AsyncGenerator[Clinic]:
    (folder / "0001_notes.sql").write_text("CREATE TABLE note (said text)")
    service = Service("scheduling", settings, migrations=folder)
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka, max_request_size=2_000_000) as producer:
        one = Clinic(service, producer)
        one.wait.set()
        service.handle(PatientRegistered, one.note)
        yield one


# Parked with its cause; the rest of its key flows


@pytest.mark.parametrize(
    ("headers", "body", "fate"),
    [
        (without(envelope(), "ce_id"), named("Ada"), "undecodable: header ce_id is missing"),
        ([("ce_id", b"\xff\xfe")], named("Ada"), "undecodable: header ce_id is not UTF-8"),
        ([*without(envelope(), "ce_type"), ("ce_type", b"\xc3(")], named("Ada"), "undecodable: header ce_type is not"),
        ([], b"\x00\xff" * 50, "undecodable: header ce_id is missing"),
    ],
)
async def test_what_says_not_what_it_is_waits_for_a_person_and_holds_nobody_up(
    settings: Settings, tmp_path: Path, headers: Headers, body: bytes, fate: str
) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        await one.send(body, headers)
        await one.send(named("Ada, once more"), envelope())
        await one.noted("Ada, once more")
        (parked,) = await one.parked()
        assert parked.startswith(fate)


async def test_bytes_that_are_no_event_are_parked_and_what_follows_about_the_same_person_waits_behind_them(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        await one.send(b"\x80\x81 not JSON", envelope())
        await one.send(named("Ada"), envelope())
        await one.send(named("Bea"), envelope(), key=b"patient_2")
        await one.noted("Bea")

        async def both() -> bool:
            return [fate.split(":")[0] for fate in await one.parked()] == ["failed", "behind"]

        await eventually(both)


@pytest.mark.parametrize("length", [3_000, 200_000])
async def test_a_key_of_any_length_can_be_parked(settings: Settings, tmp_path: Path, length: int) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        long = random.Random(length).randbytes(length // 2).hex().encode()
        await one.send(b"not JSON", envelope(), key=long)
        await one.send(named("Bea"), envelope(), key=b"patient_2")
        await one.noted("Bea")
        assert [fate.split(":")[0] for fate in await eventually(one.parked)] == ["failed"]


# Passed over, and counted


@pytest.mark.parametrize("type", ["intake.patient_registered.v2", "intake.shoe_size_reported.v1", "weather.changed.v1"])
async def test_a_newer_version_and_an_unknown_type_are_passed_over_and_counted(
    settings: Settings, tmp_path: Path, type: str
) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        await one.send(b'{"shape": "unknown"}', envelope(type=type))
        await one.send(named("Ada"), envelope())
        await one.noted("Ada")
        assert await one.parked() == []
        await one.counted("ignored", 1, "other")


# Applied as it is


async def test_fields_that_a_newer_writer_added_are_no_hindrance(settings: Settings, tmp_path: Path) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        await one.send(b'{"name": "Ada", "email": "a@example.org", "pronouns": ["she"], "next": {"x": 1}}', envelope())
        await one.noted("Ada")


async def test_a_header_of_somebody_elses_that_is_not_utf8_does_not_matter(settings: Settings, tmp_path: Path) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        await one.send(named("Ada"), [*envelope(), ("x-trace", b"\xff\xfe\x00")])
        await one.noted("Ada")


async def test_a_record_as_large_as_the_broker_takes_is_applied(settings: Settings, tmp_path: Path) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        name = "A" * 1_000_000
        await one.send(named(name), envelope())
        await one.noted(name)


async def test_a_second_body_under_an_id_that_was_applied_has_no_effect(settings: Settings, tmp_path: Path) -> None:
    async with clinic(settings(), tmp_path) as one, one.service.running():
        id = new_event_id()
        await one.send(named("Ada"), envelope(id))
        await one.send(named("Somebody else"), envelope(id))
        await one.send(named("Bea"), envelope())
        await one.noted("Ada", "Bea")
        await one.counted("duplicate", 1)
        assert await one.parked() == []


async def test_a_visit_that_is_heard_of_before_its_patient_is_told_once_both_are_known(settings: Settings) -> None:
    async with house(settings) as notify:
        await notify.say(booked())
        await notify.say(submitted(), registered())
        (letter,) = await notify.letters(1)
        assert "Dr. Naomi Feld" in letter["text"] or "March 4" in letter["text"]
        await notify.fates(("appointment_booked", "email", "sent"))


# Slow neighbours


async def test_a_slow_database_slows_reading_and_memory_holds_only_so_many_records(
    settings: Settings, tmp_path: Path
) -> None:
    waiting, held = 6_000, 200
    async with clinic(settings(lane_backlog=held), tmp_path) as one:
        one.wait.clear()
        sends = [
            await one.producer.send(
                one.service.settings.topic_prefix + TOPIC,
                named(f"Person {number}"),
                key=f"patient_{number % 97}".encode(),
                headers=envelope(),
            )
            for number in range(waiting)
        ]
        await asyncio.gather(*sends)
        async with one.service.running():
            most = 0

            async def steady() -> bool:
                nonlocal most
                before, most = most, max(most, _records())
                return most > 0 and before == most

            for _ in range(5):
                await eventually(steady)
            assert most <= held + 500  # and one poll, which was on its way
            one.wait.set()
            await one.counted("applied", waiting)
            assert await one.parked() == []


def _records() -> int:
    return sum(isinstance(one, Record) for one in gc.get_objects())


class HangingPayer:
    """Takes every question, and never answers."""

    def __init__(self) -> None:
        self.asked: list[OutsideTask] = []

    async def call(self, task: OutsideTask) -> None:
        self.asked.append(task)
        await asyncio.Event().wait()

    async def answered(self, tx: Transaction, task: OutsideTask, answer: None) -> None:
        raise AssertionError("it never answers")

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause: str) -> None:
        """Not within this test's time."""


async def test_a_payer_that_hangs_occupies_no_lane(settings: Settings, tmp_path: Path) -> None:
    people = 400
    payer = HangingPayer()
    async with clinic(settings(), tmp_path) as one:
        one.asks_payer = True
        one.service.reach("payer", payer.call, payer.answered, gave_up=payer.gave_up, workers=2, timeout_seconds=600)
        async with one.service.running():
            for number in range(people):
                await one.send(named(f"Person {number}"), envelope(), key=f"patient_{number}".encode())
            await one.counted("applied", people)
            assert len(payer.asked) == 2
