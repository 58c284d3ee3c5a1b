"""Everything that follows from one beginning carries one correlation id."""

from datetime import timedelta
from pathlib import Path

import pytest

from chassis.outside import OutsideTask
from chassis.service import Service
from chassis.timers import Timer
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.intake import RiskFlagged, RiskLevel
from tests.chassis.test_core import Settings, read_all

pytestmark = pytest.mark.engines


def flagged() -> RiskFlagged:
    return RiskFlagged(level=RiskLevel.UNASSESSED, source="intake_form")


async def test_a_request_its_timer_and_its_outside_task_say_things_of_one_chain(
    settings: Settings, tmp_path: Path
) -> None:
    service = Service("intake", settings(), migrations=tmp_path)

    async def on_timer(tx: Transaction, timer: Timer) -> None:
        tx.emit(flagged(), subject="patient_1")
        await tx.ask_outside("payer", "later", {})

    async def call(task: OutsideTask) -> str:
        return "active"

    async def answered(tx: Transaction, task: OutsideTask, answer: str) -> None:
        tx.emit(flagged(), subject="patient_1")

    async def gave_up(tx: Transaction, task: OutsideTask, cause: str) -> None: ...

    service.on_timer("remind", on_timer)
    service.reach("payer", call, answered, gave_up=gave_up)
    async with service.running():
        async with service.database.transaction() as tx:
            await tx.set_timer("remind", "patient_1", tx.now + timedelta(days=1))
            await tx.ask_outside("payer", "first", {})
            tx.emit(flagged(), subject="patient_1")
        service.clock.travel(timedelta(days=2))
        records = await read_all(service.settings, "intake.events", 4)
        async with service.database.transaction() as tx:
            tx.emit(flagged(), subject="patient_1")
        *_, other = await read_all(service.settings, "intake.events", 5)
    chain = [Envelope.from_headers(record.headers) for record in records]
    assert len({one.correlation_id for one in chain}) == 1
    assert Envelope.from_headers(other.headers).correlation_id != chain[0].correlation_id


async def test_an_event_that_begins_a_chain_gives_it_its_own_id(settings: Settings, tmp_path: Path) -> None:
    service = Service("intake", settings(), migrations=tmp_path)
    async with service.running():
        async with service.database.transaction() as tx:
            first = tx.emit(flagged(), subject="patient_1")
            tx.emit(flagged(), subject="patient_1")
        records = await read_all(service.settings, "intake.events", 2)
    assert {Envelope.from_headers(record.headers).correlation_id for record in records} == {first}
