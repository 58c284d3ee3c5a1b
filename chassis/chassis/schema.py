"""Forward-only migrations: numbered SQL files, each applied once, in order, under the service's own role."""

from __future__ import annotations

from pathlib import Path

import asyncpg

CORE = Path(__file__).parent / "migrations"

_LEDGER = """
CREATE TABLE IF NOT EXISTS migration (
    name       text        PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


async def migrate(connection: asyncpg.Connection, service: Path) -> list[str]:
    """Apply what is missing: the chassis's own migrations first, then the service's. Returns what was applied.

    Replicas that start together wait for one another on an advisory lock of the schema.
    """
    await connection.execute("SELECT pg_advisory_lock(hashtext('stillwater:' || current_schema()))")
    try:
        await connection.execute(_LEDGER)
        done = {row["name"] for row in await connection.fetch("SELECT name FROM migration")}
        applied: list[str] = []
        for folder, prefix in ((CORE, "chassis"), (service, "service")):
            for file in sorted(folder.glob("*.sql")):
                name = f"{prefix}/{file.stem}"
                if name not in done:
                    await _apply(connection, name, file.read_text())
                    applied.append(name)
        return applied
    finally:
        await connection.execute("SELECT pg_advisory_unlock(hashtext('stillwater:' || current_schema()))")


async def _apply(connection: asyncpg.Connection, name: str, statements: str) -> None:
    async with connection.transaction():
        await connection.execute(statements)
        await connection.execute("INSERT INTO migration (name) VALUES ($1)", name)
