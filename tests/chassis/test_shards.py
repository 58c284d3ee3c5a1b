"""What waits in an outbox whose shards are given tables of their own."""

import shutil
from pathlib import Path

import asyncpg
import pytest

from chassis import schema
from chassis.outbox import SHARDS

pytestmark = pytest.mark.engines


async def test_what_waits_stays_and_new_rows_come_above_every_floor(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, own = tmp_path / "before", tmp_path / "own"
    before.mkdir()
    for file in schema.CORE.glob("000[1-4]_*.sql"):
        shutil.copy(file, before)
    connection = await asyncpg.connect(database)
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "CORE", before)
        await schema.migrate(connection, own)
    rows = [(number % SHARDS, f"row {number}".encode()) for number in range(2 * SHARDS + 1)]
    await connection.executemany("INSERT INTO outbox (shard, record) VALUES ($1, $2)", rows)
    last = await connection.fetchval("DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox) RETURNING id")
    await schema.migrate(connection, own)
    waiting = await connection.fetch("SELECT shard, record FROM outbox ORDER BY id")
    assert [tuple(row) for row in waiting] == rows[:-1]
    assert await connection.fetchval("INSERT INTO outbox (shard, record) VALUES (3, '') RETURNING id") > last
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO outbox (shard, record) VALUES ($1, '')", SHARDS)
    await connection.close()
