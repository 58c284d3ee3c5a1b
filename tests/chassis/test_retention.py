"""Rows that have done their work are forgotten in bounded batches; what must last, lasts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.database import Database
from chassis.http.idempotency import forget_old_answers
from chassis.retention import BATCH, Retention, Rule, forget_old_inbox_rows, purge_old_outside_tasks
from chassis.settings import ServiceSettings
from tests.chassis.front_desk import open_database
from tests.services import SEAL_KEY, TOKEN_KEY

pytestmark = pytest.mark.engines

MONTH = timedelta(days=30)

_HEARD = """
INSERT INTO inbox (consumer, event_id, applied_at)
SELECT 'desk', gen_random_uuid(), clock_timestamp() - make_interval(days => $2) FROM generate_series(1, $1)
"""
_ASKED = """
INSERT INTO outside_task (id, destination, purpose, subject, payload, due_at, ended_at, outcome)
VALUES (gen_random_uuid(), 'payer', $1, 'patient_1', '{"member": "sealed"}', clock_timestamp(),
        clock_timestamp() - make_interval(days => $2::int), $3)
"""


@pytest.fixture
async def opened(database: str, tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(database, tmp_path)
    yield opened
    await opened.stop()


def settings(**knobs: int) -> ServiceSettings:
    return ServiceSettings.model_validate(
        {"database_url": "postgresql://", "kafka": "", "token_key": TOKEN_KEY, "seal_key": SEAL_KEY, **knobs}
    )


async def count(database: Database, table: str) -> int:
    async with database.connection() as connection:
        return await connection.fetchval(f"SELECT count(*) FROM {table}")


async def test_old_inbox_rows_go_a_batch_at_a_time_and_new_ones_stay(opened: Database) -> None:
    retention = Retention(opened, settings(), forget_old_answers)
    async with opened.connection() as connection:
        await connection.execute(_HEARD, BATCH + 7, 40)
        await connection.execute(_HEARD, 5, 20)
        assert await forget_old_inbox_rows(connection, MONTH, 10) == 10
    assert await retention.forget(Rule("inbox", forget_old_inbox_rows, MONTH)) == BATCH - 3
    assert await count(opened, "inbox") == 5


async def test_an_ended_decision_keeps_that_it_was_made_and_loses_what_it_said(opened: Database) -> None:
    async with opened.connection() as connection:
        for purpose, days, outcome in (("old", 40, "answered"), ("new", 20, "answered"), ("broken", 40, "unapplied")):
            await connection.execute(_ASKED, purpose, days, outcome)
        await connection.execute(_ASKED, "open", None, None)
        assert await purge_old_outside_tasks(connection, MONTH, 10) == 1
        assert await purge_old_outside_tasks(connection, MONTH, 10) == 0
        rows = await connection.fetch("SELECT purpose, subject, payload FROM outside_task ORDER BY purpose")
    kept = '{"member": "sealed"}'
    assert [tuple(row) for row in rows] == [
        ("broken", "patient_1", kept),
        ("new", "patient_1", kept),
        ("old", None, "{}"),
        ("open", "patient_1", kept),
    ]
    async with opened.transaction() as tx:
        assert not await tx.ask_outside("payer", "old", {})


async def test_who_looked_at_whom_is_never_forgotten(opened: Database) -> None:
    retention = Retention(opened, settings(), forget_old_answers)
    async with opened.connection() as connection:
        await connection.execute(
            "INSERT INTO access_log (at, actor, role, subjects, what) VALUES ('2001-01-01', 'kim', 'staff', '{p}', 'x')"
        )
    for rule in retention.rules:
        await retention.forget(rule)
    assert await count(opened, "access_log") == 1


async def test_forgetting_walks_an_index(opened: Database) -> None:
    async with opened.connection() as connection:
        await connection.execute(_HEARD, 20_000, 1)
        await connection.execute("ANALYZE inbox")
        plan = await connection.fetch(
            "EXPLAIN SELECT ctid FROM inbox WHERE applied_at < clock_timestamp() - interval '90 days'"
            " ORDER BY applied_at LIMIT 1000"
        )
    assert "inbox_by_age" in "".join(row[0] for row in plan)


async def test_two_replicas_forget_side_by_side(opened: Database) -> None:
    async with opened.connection() as first, opened.connection() as second:
        await first.execute(_HEARD, 30, 40)
        held = first.transaction()
        await held.start()
        assert await forget_old_inbox_rows(first, MONTH, 10) == 10
        assert await forget_old_inbox_rows(second, MONTH, 100) == 20
        await held.commit()
    assert await count(opened, "inbox") == 0


def test_the_inbox_outlives_the_topic() -> None:
    with pytest.raises(ValidationError):
        settings(inbox_days=90)
