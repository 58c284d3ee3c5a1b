"""The event core on the real Postgres and Kafka."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from chassis.outside import OutsideRefused, OutsideTask, OutsideUnavailable
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.timers import Timer
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.ids import new_event_id
from contracts.intake import PatientRegistered, RiskFlagged, RiskLevel
from tests.waiting import eventually

pytestmark = pytest.mark.engines

Settings = Callable[..., ServiceSettings]


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    (tmp_path / "0001_notes.sql").write_text("CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY, said text)")
    return tmp_path


def registered(name: str) -> PatientRegistered:
    return PatientRegistered(name=name, email="someone@example.org")


async def read_all(settings: ServiceSettings, topic: str, count: int) -> list[ConsumerRecord]:
    """The first `count` records of a topic."""
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + topic, bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        found: list[ConsumerRecord] = []

        async def enough() -> bool:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found.extend(records)
            return len(found) >= count

        await eventually(enough)
        return found
    finally:
        await consumer.stop()


@dataclass
class Clerk:
    """A handler that writes down what it is told, and refuses names it was told to refuse."""

    refuses: set[str] = field(default_factory=set)

    async def note(self, tx: Transaction, event: PatientRegistered, about: Envelope) -> None:
        await tx.connection.execute("INSERT INTO note (said) VALUES ($1)", event.name)
        tx.emit(RiskFlagged(level=RiskLevel.UNASSESSED, source="intake_form"), subject=about.subject)
        if event.name in self.refuses:
            raise ValueError("refused")


@dataclass
class Room:
    """A service that hears its own stream, and what it wrote down."""

    service: Service
    clerk: Clerk

    async def say(self, subject: str, *names: str) -> None:
        async with self.service.database.transaction() as tx:
            for name in names:
                tx.emit(registered(name), subject=subject)

    async def notes(self) -> list[str]:
        async with self.service.database.connection() as connection:
            return [row["said"] for row in await connection.fetch("SELECT said FROM note ORDER BY id")]

    async def parked(self) -> list[Any]:
        async with self.service.database.connection() as connection:
            return await connection.fetch("SELECT reason, cause, given_up_at FROM parked ORDER BY id")

    async def noted(self, *names: str) -> bool:
        return sorted(await self.notes()) == sorted(names)


@asynccontextmanager
async def room(settings: ServiceSettings, migrations: Path) -> AsyncIterator[Room]:
    service = Service("intake", settings, migrations=migrations)
    clerk = Clerk()
    service.handle(PatientRegistered, clerk.note)
    async with service.running():
        yield Room(service, clerk)


async def test_what_a_transaction_says_reaches_the_broker_in_order_with_its_envelope(
    settings: Settings, migrations: Path
) -> None:
    service = Service("intake", settings(), migrations=migrations)
    async with service.running():
        async with service.database.transaction() as tx:
            for name in ("Ada", "Bea", "Cleo"):
                tx.emit(registered(name), subject="patient_1")
        records = await read_all(service.settings, "intake.events", 3)
    envelopes = [Envelope.from_headers(record.headers) for record in records]
    assert [one.sequence for one in envelopes] == [1, 2, 3]
    assert {one.subject for one in envelopes} == {"patient_1"} == {record.key.decode() for record in records}
    assert {one.source for one in envelopes} == {"stillwater/intake"}
    assert [PatientRegistered.model_validate_json(record.value).name for record in records] == ["Ada", "Bea", "Cleo"]


async def test_a_transaction_that_fails_says_nothing(settings: Settings, migrations: Path) -> None:
    service = Service("intake", settings(), migrations=migrations)
    async with service.running():
        with pytest.raises(ZeroDivisionError):
            async with service.database.transaction() as tx:
                tx.emit(registered("Ada"), subject="patient_1")
                raise ZeroDivisionError
        async with service.database.transaction() as tx:
            tx.emit(registered("Bea"), subject="patient_1")
        (record,) = await read_all(service.settings, "intake.events", 1)
    assert Envelope.from_headers(record.headers).sequence == 1


async def test_a_record_that_comes_twice_has_one_effect(settings: Settings, migrations: Path) -> None:
    async with room(settings(), migrations) as clinic:
        await clinic.say("patient_1", "Ada")
        await eventually(lambda: clinic.noted("Ada"))
        first, *_ = await read_all(clinic.service.settings, "intake.events", 1)
        await publish(clinic.service.settings, first.key, first.headers, first.value)
        await clinic.say("patient_1", "Bea")
        await eventually(lambda: clinic.noted("Ada", "Bea"))


async def test_a_failing_record_holds_up_its_own_patient_only_and_order_survives(
    settings: Settings, migrations: Path
) -> None:
    async with room(settings(retry_tries=1_000), migrations) as clinic:
        clinic.clerk.refuses.add("Ada")
        await clinic.say("patient_1", "Ada", "Ada's second")
        await clinic.say("patient_2", "Bea")
        await eventually(lambda: clinic.noted("Bea"))
        await eventually(lambda: _has(clinic.parked, 2))
        clinic.clerk.refuses.clear()
        await eventually(lambda: clinic.noted("Bea", "Ada", "Ada's second"))
        assert await clinic.notes() == ["Bea", "Ada", "Ada's second"]
        assert await clinic.parked() == []


async def test_a_record_that_never_passes_waits_for_a_person_with_its_cause_and_without_its_text(
    settings: Settings, migrations: Path
) -> None:
    async with room(settings(retry_tries=2), migrations) as clinic:
        clinic.clerk.refuses.add("Ada")
        await clinic.say("patient_1", "Ada")

        async def given_up() -> list[Any]:
            return [row for row in await clinic.parked() if row["given_up_at"]]

        (row,) = await eventually(given_up)
        assert row["cause"].startswith("ValueError at note:")
        assert "refused" not in row["cause"]


async def publish(settings: ServiceSettings, key: bytes, headers: Any, body: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await producer.start()
    try:
        topic = settings.topic_prefix + "intake.events"
        await producer.send_and_wait(topic, key=key, headers=list(headers), value=body)
    finally:
        await producer.stop()


async def _has(look: Callable[[], Any], count: int) -> bool:
    return len(await look()) == count


def headers_of(**changed: bytes | None) -> list[tuple[str, bytes]]:
    headers = {
        "ce_id": new_event_id().encode(),
        "ce_type": b"intake.patient_registered.v1",
        "ce_source": b"stillwater/intake",
        "ce_time": b"2026-03-01T09:00:00+00:00",
        "ce_subject": b"patient_9",
        "ce_sequence": b"1",
        **changed,
    }
    return [(name, value) for name, value in headers.items() if value is not None]


@pytest.mark.parametrize(
    ("headers", "body", "cause"),
    [
        (headers_of(ce_id=None), b"{}", "header ce_id is missing"),
        (headers_of(ce_subject=b"\xff\xfe"), b"{}", "header ce_subject is not UTF-8"),
        (headers_of(ce_time=b"yesterday"), b"{}", "header ce_time is not an ISO 8601 instant"),
        (headers_of(), b"\x00\x01 not json", "ValidationError at"),
        (headers_of(), b'{"name": 7}', "ValidationError at name"),
    ],
)
async def test_garbage_is_parked_with_its_cause_and_everything_else_flows(
    settings: Settings, migrations: Path, headers: list[tuple[str, bytes]], body: bytes, cause: str
) -> None:
    async with room(settings(), migrations) as clinic:
        await publish(clinic.service.settings, b"patient_9", headers, body)
        await clinic.say("patient_1", "Bea")
        await eventually(lambda: clinic.noted("Bea"))
        (row,) = await eventually(clinic.parked)
        assert row["cause"].startswith(cause)


async def test_a_timer_is_handled_when_clinic_time_comes_and_once(settings: Settings, migrations: Path) -> None:
    service = Service("intake", settings(), migrations=migrations)
    handled: list[Timer] = []

    async def remember(tx: Transaction, timer: Timer) -> None:
        handled.append(timer)
        if len(handled) == 1:
            raise ValueError("the first try fails")

    service.on_timer("remind", remember)
    async with service.running():
        async with service.database.transaction() as tx:
            await tx.set_timer("remind", "patient_1", tx.now + timedelta(days=3), {"of": "a visit"})
        service.clock.travel(timedelta(days=4))

        async def twice() -> bool:
            return len(handled) == 2

        await eventually(twice)
        async with service.database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM timer") == 0
    assert handled[1].payload == {"of": "a visit"}


@pytest.mark.parametrize(("sooner_only", "expected"), [(False, [4, 2, 3]), (True, [4, 2, 2])])
async def test_a_timer_set_again_moves_or_if_so_asked_only_to_an_earlier_time(
    settings: Settings, migrations: Path, sooner_only: bool, expected: list[int]
) -> None:
    service = Service("intake", settings(), migrations=migrations)
    found: list[int] = []
    async with service.running():
        for days in (4, 2, 3):
            async with service.database.transaction() as tx:
                due = tx.now + timedelta(days=days)
                await tx.set_timer("remind", "patient_1", due, sooner_only=sooner_only)
                found.append(
                    await tx.connection.fetchval(
                        "SELECT round(extract(epoch FROM due_at - $1) / 86400)::int FROM timer", tx.now
                    )
                )
    assert found == expected


class Payer:
    """The far side: unavailable once, then it answers, or refuses."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.attempts: list[OutsideTask] = []
        self.ends: list[str] = []

    async def call(self, task: OutsideTask) -> str:
        self.attempts.append(task)
        if self.refuses:
            raise OutsideRefused("not_ours")
        if len(self.attempts) == 1:
            raise OutsideUnavailable("down")
        return "active"

    async def answered(self, tx: Transaction, task: OutsideTask, answer: str) -> None:
        self.ends.append(answer)

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause: str) -> None:
        self.ends.append(cause)

    async def ended(self) -> bool:
        return bool(self.ends)


@pytest.mark.parametrize(("refuses", "ends"), [(False, ["active"]), (True, ["not_ours"])])
async def test_a_decision_to_act_is_made_once_and_carried_out_until_it_ends(
    settings: Settings, migrations: Path, refuses: bool, ends: list[str]
) -> None:
    service = Service("intake", settings(), migrations=migrations)
    payer = Payer(refuses)
    service.reach("payer", payer.call, payer.answered, gave_up=payer.gave_up)
    async with service.running():
        async with service.database.transaction() as tx:
            assert await tx.ask_outside("payer", "coverage_1", {"member": "sealed"})
        async with service.database.transaction() as tx:
            assert not await tx.ask_outside("payer", "coverage_1", {"member": "sealed"})
        await eventually(payer.ended)
    assert payer.ends == ends
    assert len({task.id for task in payer.attempts}) == 1


class Baffled(Payer):
    """Its answer is one that our own handler cannot take, as a text with a NUL is for the database."""

    async def answered(self, tx: Transaction, task: OutsideTask, answer: str) -> None:
        await tx.connection.fetchval("SELECT $1::text", "GOLD\0PLAN")


class Deadlocked(Baffled):
    """Besides, the database has something else to do when that is to be told for the first time."""

    unlucky = True

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause: str) -> None:
        if self.unlucky:
            self.unlucky = False
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        await super().gave_up(tx, task, cause)


@pytest.mark.parametrize("far_side", [Baffled, Deadlocked])
async def test_an_answer_that_cannot_be_taken_is_told_once_and_nobody_is_asked_again(
    settings: Settings, migrations: Path, far_side: type[Payer]
) -> None:
    service = Service("intake", settings(), migrations=migrations)
    payer = far_side()
    service.reach("payer", payer.call, payer.answered, gave_up=payer.gave_up, unapplied=payer.gave_up)
    async with service.running():
        async with service.database.transaction() as tx:
            await tx.ask_outside("payer", "coverage_1", {})

        async def kept() -> bool:
            async with service.database.connection() as connection:
                return await connection.fetchval("SELECT outcome FROM outside_task") == "unapplied"

        await eventually(kept)
    assert [cause.split()[0] for cause in payer.ends] == ["CharacterNotInRepertoireError"]
    assert len(payer.attempts) == 2
