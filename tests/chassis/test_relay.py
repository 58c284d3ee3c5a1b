"""What the relay publishes again, and from where the next leader of a shard reads."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from chassis.floors import INTERVAL_SECONDS, Floors
from chassis.leases import Leases
from chassis.outbox import shard_of
from chassis.service import Service
from chassis.settings import ServiceSettings
from contracts.intake import PatientRegistered
from tests.chassis.front_desk import open_database
from tests.waiting import eventually

pytestmark = pytest.mark.engines

_PATIENT = "patient_1"
_LOSE_ALL_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()
"""


async def test_rows_that_a_crash_of_the_database_brings_back_are_published_again_and_deleted(
    settings: Callable[..., ServiceSettings], tmp_path: Path
) -> None:
    """Deletes are committed without waiting for the disk: a crash takes the latest of them back."""
    service = Service("intake", settings(lease_seconds=600), migrations=tmp_path)  # keeps no floor in the meantime
    consumer = AIOKafkaConsumer(
        f"{service.settings.topic_prefix}intake.events",
        bootstrap_servers=service.settings.kafka,
        auto_offset_reset="earliest",
    )

    async def drained() -> bool:
        async with service.database.connection() as connection:
            return await connection.fetchval("SELECT count(*) FROM outbox") == 0

    async with service.running(), consumer:
        async with service.database.transaction() as tx:
            tx.emit(PatientRegistered(name="Ada", email="ada@example.org"), subject=_PATIENT)
            await tx.flush()
            row = await tx.connection.fetchrow("SELECT shard, id, record FROM outbox")
        await consumer.getone()
        await eventually(drained)
        await asyncio.sleep(10 * INTERVAL_SECONDS)  # a floor has risen
        async with service.database.connection() as connection:
            await connection.execute(
                "INSERT INTO outbox (shard, id, record) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3)", *row
            )
            await connection.execute(_LOSE_ALL_CONNECTIONS)
        again = await asyncio.wait_for(consumer.getone(), 20)
        await eventually(drained)
    assert again.key.decode() == _PATIENT


async def test_whoever_leads_a_shard_next_reads_from_the_floor_that_was_kept(database: str, tmp_path: Path) -> None:
    ours = await open_database(database, tmp_path)
    shard = shard_of(_PATIENT.encode())
    leader, follower = Floors(), Floors()
    leases = [Leases(ours, 600) for _ in range(2)]
    leader.learn({shard: 7})
    await leases[0].renew(Floors())
    await leases[0].renew(leader)
    await leases[0].resign()
    await leases[1].renew(follower)
    assert [follower.of(each) for each in (shard, shard + 1)] == [7, 0]
    lower = Floors()
    await leases[1].renew(lower)
    assert lower.of(shard) == 7
    await ours.stop()
