"""Floors: what the relay need not look through again."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from chassis.floors import Floors
from chassis.schema import migrate

pytestmark = pytest.mark.engines

_ADD = "INSERT INTO outbox (shard, record) VALUES (3, '') RETURNING id"


@pytest.fixture
async def writers(database: str, tmp_path: Path) -> AsyncIterator[list[asyncpg.Connection]]:
    connections = [await asyncpg.connect(database) for _ in range(3)]
    await migrate(connections[0], tmp_path)
    yield connections
    for connection in connections:
        await connection.close()


async def read(floors: Floors, connection: asyncpg.Connection) -> list[int]:
    """What a relay finds in shard 3; it publishes and deletes all of it."""
    proven = floors.proven
    rows = await connection.fetch("SELECT id FROM outbox WHERE shard = 3 AND id > $1 ORDER BY id", floors.of(3))
    ids = [row["id"] for row in rows]
    floors.read([3], {3: ids} if ids else {}, proven)
    await connection.execute("DELETE FROM outbox WHERE id = ANY($1)", ids)
    return ids


async def test_a_floor_rises_to_what_was_published_once_nobody_can_come_below(
    writers: list[asyncpg.Connection],
) -> None:
    floors, (relay, writer, _) = Floors(), writers
    last = await writer.fetchval(_ADD)
    assert await read(floors, relay) == [last]
    await floors.watch(relay)
    assert floors.of(3) == 0
    assert await read(floors, relay) == []
    assert floors.of(3) == last


async def test_no_floor_rises_over_the_row_of_a_transaction_under_way(writers: list[asyncpg.Connection]) -> None:
    floors, (relay, slow, quick) = Floors(), writers
    async with slow.transaction():
        first = await slow.fetchval(_ADD)
        second = await quick.fetchval(_ADD)
        assert await read(floors, relay) == [second]
        for _ in range(3):
            await floors.watch(relay)
            assert await read(floors, relay) == []
            assert floors.of(3) < first
    await floors.watch(relay)
    assert await read(floors, relay) == [first]
    for _ in range(3):
        await floors.watch(relay)
        await read(floors, relay)
    assert floors.of(3) == second


async def test_a_transaction_left_open_that_says_nothing_keeps_no_floor_down(
    writers: list[asyncpg.Connection],
) -> None:
    floors, (relay, writer, idle) = Floors(), writers
    await idle.execute("CREATE TABLE other (id int)")
    async with idle.transaction():
        await idle.execute("INSERT INTO other VALUES (1)")
        last = await writer.fetchval(_ADD)
        assert await read(floors, relay) == [last]
        await floors.watch(relay)
        await read(floors, relay)
        assert floors.of(3) == last


async def test_a_reading_begun_before_the_proof_raises_no_floor(writers: list[asyncpg.Connection]) -> None:
    floors, (relay, writer, _) = Floors(), writers
    await writer.fetchval(_ADD)
    await read(floors, relay)
    before = floors.proven
    await floors.watch(relay)
    floors.read([3], {}, before)
    assert floors.of(3) == 0
