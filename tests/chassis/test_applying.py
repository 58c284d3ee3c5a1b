"""Applying records: what waits in a lane, in one transaction where that can be, each by itself where not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from chassis.database import Database
from chassis.inbox import Inbox, Route
from chassis.parking import Parking
from chassis.records import Record
from chassis.retrying import Retrying
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.ids import EventId, new_event_id
from contracts.intake import PatientRegistered
from tests.chassis.front_desk import open_database
from tests.services import SEAL_KEY, TOKEN_KEY

pytestmark = pytest.mark.engines


def record(name: str, patient: str = "patient_1", *, id: EventId | None = None, offset: int = 0) -> Record:
    envelope = Envelope(
        id=id or new_event_id(),
        type=PatientRegistered.type,
        source="stillwater/test",
        time=datetime.now(UTC),
        subject=patient,
        sequence=1,
        correlation_id=new_event_id(),
    )
    body = PatientRegistered(name=name, email="someone@example.org").model_dump_json().encode()
    return Record("intake.events", 0, offset, envelope.key, envelope.to_headers(), body)


@dataclass
class Clerk:
    """Writes down names, and refuses some."""

    refuses: set[str] = field(default_factory=set)
    transactions: list[int] = field(default_factory=list)

    async def note(self, tx: Transaction, event: PatientRegistered, about: Envelope) -> None:
        self.transactions.append(await tx.connection.fetchval("SELECT txid_current()"))
        await tx.connection.execute("INSERT INTO note (said) VALUES ($1)", event.name)
        if event.name in self.refuses:
            raise ValueError("refused")


@dataclass
class Desk:
    database: Database
    inbox: Inbox
    retrying: Retrying
    clerk: Clerk

    async def notes(self) -> list[str]:
        async with self.database.connection() as connection:
            return [row["said"] for row in await connection.fetch("SELECT said FROM note ORDER BY id")]

    async def parked(self) -> list[str]:
        async with self.database.connection() as connection:
            return [row["reason"] for row in await connection.fetch("SELECT reason FROM parked ORDER BY id")]


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    (tmp_path / "0001_notes.sql").write_text("CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY, said text)")
    opened = await open_database(database, tmp_path)
    knobs = ServiceSettings(
        database_url=SecretStr(database),
        kafka="",
        token_key=SecretStr(TOKEN_KEY),
        seal_key=SecretStr(SEAL_KEY),
        retry_first_seconds=0,
    )
    telemetry, clerk = Telemetry(CollectorRegistry()), Clerk()
    parking = Parking(opened, knobs, telemetry)
    routes = {PatientRegistered.type: Route(PatientRegistered, clerk.note)}  # type: ignore[arg-type]
    inbox = Inbox("desk", routes, opened, parking, telemetry)
    yield Desk(opened, inbox, Retrying({"desk": inbox}, opened, knobs, telemetry), clerk)
    await opened.stop()


async def test_what_waits_together_is_applied_in_one_transaction_and_in_order(desk: Desk) -> None:
    await desk.inbox.apply([record(name, offset=n) for n, name in enumerate(("Ada", "Bea", "Cleo"))])
    assert await desk.notes() == ["Ada", "Bea", "Cleo"]
    assert len(set(desk.clerk.transactions)) == 1


async def test_an_event_that_comes_twice_at_once_has_one_effect(desk: Desk) -> None:
    same = new_event_id()
    await desk.inbox.apply([record("Ada", id=same), record("Bea", offset=1), record("Ada", id=same, offset=2)])
    assert await desk.notes() == ["Ada", "Bea"]


async def test_an_id_said_again_with_another_body_changes_nothing(desk: Desk) -> None:
    same = new_event_id()
    await desk.inbox.apply([record("Ada", id=same)])
    await desk.inbox.apply([record("Bea", id=same, offset=1)])
    assert await desk.notes() == ["Ada"]


async def test_one_that_fails_among_others_parks_alone_with_what_follows_it_for_its_patient(desk: Desk) -> None:
    desk.clerk.refuses.add("Ada")
    await desk.inbox.apply(
        [
            record("Zoe", "patient_2"),
            record("Ada", offset=1),
            record("Ada's second", offset=2),
            record("Bea", "patient_3", offset=3),
        ]
    )
    assert await desk.notes() == ["Zoe", "Bea"]
    assert await desk.parked() == ["failed", "behind"]
    await desk.inbox.apply([record("Ada's third", offset=4), record("Cleo", "patient_3", offset=5)])
    assert await desk.notes() == ["Zoe", "Bea", "Cleo"]
    desk.clerk.refuses.clear()
    while await desk.retrying.retry_one():
        pass
    assert await desk.notes() == ["Zoe", "Bea", "Cleo", "Ada", "Ada's second", "Ada's third"]
    assert await desk.parked() == []


async def test_what_comes_again_behind_a_parked_one_is_known_or_parked_once(desk: Desk) -> None:
    said = [record(name, offset=n) for n, name in enumerate(("Ada's first", "Ada", "Ada's third"))]
    desk.clerk.refuses.add("Ada")
    for _ in range(2):
        await desk.inbox.apply(said)
    await desk.inbox.apply([said[0]])
    assert await desk.notes() == ["Ada's first"]
    assert await desk.parked() == ["failed", "behind"]
    desk.clerk.refuses.clear()
    while await desk.retrying.retry_one():
        pass
    await desk.inbox.apply(said)
    assert await desk.notes() == ["Ada's first", "Ada", "Ada's third"]
    assert await desk.parked() == []


async def test_what_follows_one_that_could_not_be_parked_at_once_stays_behind_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.clerk.refuses.add("Ada")
    await desk.inbox.apply([record("Ada"), record("Zoe", "patient_2", offset=1)])
    park_behind, looks = Parking.park_behind, count()

    async def at_first_being_tried(*said: Any, patient: bool) -> bool:
        return next(looks) > 0 and await park_behind(*said, patient=patient)

    monkeypatch.setattr(Parking, "park_behind", at_first_being_tried)
    await desk.inbox.apply([record("Ada's second", offset=2), record("Ada's third", offset=3)])
    assert await desk.parked() == ["failed", "behind", "behind"]
    desk.clerk.refuses.clear()
    while await desk.retrying.retry_one():
        pass
    assert await desk.notes() == ["Zoe", "Ada", "Ada's second", "Ada's third"]
