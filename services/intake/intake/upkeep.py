"""Keeping the stored cards in order: sweep what nobody knows, and change the key that wraps their keys.

`python -m intake.upkeep rotate` makes a new wrapping key and wraps every image's own key with it; the images stay
untouched and the service keeps running. `sweep` removes stored files that no intake knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from typing import Final

import asyncpg
import typer
from obstore.exceptions import BaseError
from rich.console import Console

from chassis.log import logger
from intake.card_reading.store import known_objects
from intake.metrics import IntakeMetrics
from intake.settings import IntakeSettings
from intake.uploads.keyring import KeyRing, KeyRingUnusable, WrappedKey
from intake.uploads.storage import RECENT_DAYS, CardStore

SWEEP_SECONDS: Final = 600.0
REWRAP_BATCH: Final = 200

_STALE: Final = """
SELECT object, key_id, wrapped_key FROM card_image WHERE key_id <> $1 AND object > $2 ORDER BY object LIMIT $3
"""

_REWRAP: Final = """
UPDATE card_image SET key_id = $2, wrapped_key = $3 WHERE object = $1 AND key_id = $4
"""

Connect = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]
Work = Callable[[IntakeSettings, asyncpg.Connection], Awaitable[None]]


def open_store(settings: IntakeSettings) -> CardStore:
    return CardStore.at(settings.card_store_url or settings.card_folder)


def open_ring(settings: IntakeSettings) -> KeyRing:
    """Raises KeyRingUnusable."""
    return KeyRing(settings.card_keys_file, image_folder=settings.card_folder)


async def sweep(store: CardStore, connect: Connect, older_than: timedelta, days: int | None = RECENT_DAYS) -> int:
    """Remove stored files of that age, of the last `days` or all, that no row names. Returns how many went."""

    async def known(names: Collection[str]) -> set[str]:
        async with connect() as connection:
            return await known_objects(connection, names)

    return await store.sweep(older_than=older_than, known=known, days=days)


async def keep_swept(store: CardStore, connect: Connect, older_than: timedelta, metrics: IntakeMetrics) -> None:
    """Sweep at the start, after whatever killed the last process, and every ten minutes."""
    while True:
        try:
            metrics.orphans_swept.inc(await sweep(store, connect, older_than))
        except (BaseError, OSError) as error:
            logger.warning("sweep_failed", cause=type(error).__name__)
        await asyncio.sleep(SWEEP_SECONDS)


async def rewrap(connection: asyncpg.Connection, ring: KeyRing) -> int:
    """Wrap every image's key with the active key. Returns how many were wrapped with another."""
    active, last, changed = ring.active, "", 0
    while rows := await connection.fetch(_STALE, active, last, REWRAP_BATCH):
        renewed = [
            (row["object"], key.key_id, key.wrapped, row["key_id"])
            for row in rows
            if (key := ring.rewrap(WrappedKey(row["key_id"], row["wrapped_key"]), name=row["object"]))
        ]
        await connection.executemany(_REWRAP, renewed)
        last, changed = rows[-1]["object"], changed + len(rows)
    return changed


async def retire(connection: asyncpg.Connection, ring: KeyRing) -> list[str]:
    """Forget wrapping keys replaced over a day ago that no image needs."""
    rows = await connection.fetch("SELECT DISTINCT key_id FROM card_image")
    return ring.retire(frozenset(row["key_id"] for row in rows))


app = typer.Typer(add_completion=False, help="Keep the stored insurance cards in order.")
_console = Console()


@app.command()
def rotate() -> None:
    """Make a new wrapping key and wrap every image's own key with it. No image is touched."""

    async def run(settings: IntakeSettings, connection: asyncpg.Connection) -> None:
        ring = open_ring(settings)
        active = ring.rotate()
        changed = await rewrap(connection, ring)
        gone = await retire(connection, ring)
        _console.print(f"Key {active} is active; {changed} image keys wrapped anew; {len(gone)} old keys forgotten.")

    _run(run)


@app.command(name="sweep")
def sweep_now() -> None:
    """Remove stored files that no intake knows."""

    async def run(settings: IntakeSettings, connection: asyncpg.Connection) -> None:
        age = timedelta(minutes=settings.orphan_minutes)
        swept = await sweep(open_store(settings), lambda: nullcontext(connection), age, days=None)
        _console.print(f"{swept} files removed.")

    _run(run)


def _run(work: Work) -> None:
    asyncio.run(_with_database(work))


async def _with_database(work: Work) -> None:
    settings = IntakeSettings()  # pyright: ignore[reportCallIssue]  (from the environment)
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        await work(settings, connection)
    except KeyRingUnusable as fault:
        raise typer.BadParameter(str(fault)) from None
    finally:
        await connection.close()


if __name__ == "__main__":
    app()
