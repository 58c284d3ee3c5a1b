"""The service's own schema: a pool of connections, and transactions that say what they decided."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import asyncpg

from chassis.clock import Clock
from chassis.points import reached
from chassis.schema import migrate
from chassis.seal import Seal
from chassis.settings import ServiceSettings
from chassis.transaction import Transaction
from contracts.envelope import Envelope

_STATEMENT_SECONDS = 30


class Wakes:
    """Tells the loops of this process that a commit has left work for them, so that they need not poll fast."""

    def __init__(self) -> None:
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake(self, name: str) -> None:
        self._events[name].set()

    async def sleep(self, name: str, seconds: float) -> bool:
        """Sleep until woken or until `seconds` are over. Returns whether it was woken."""
        event = self._events[name]
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        event.clear()
        return True


class Database:
    """Transactions and plain reads. Open between `start` and `stop`."""

    def __init__(self, source: str, settings: ServiceSettings, clock: Clock) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._pool: asyncpg.Pool | None = None
        self.wakes = Wakes()
        self.seal = Seal(settings.seal_key.get_secret_value())

    @property
    def pool(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("the database is not open: start the service first")
        return self._pool

    async def start(self, migrations: Path) -> list[str]:
        """Connect and bring the schema up to date. Returns the names of the migrations applied."""
        url = self._settings.database_url.get_secret_value()
        self._pool = await asyncpg.create_pool(
            url,
            min_size=2,
            max_size=self._settings.pool_size,
            command_timeout=_STATEMENT_SECONDS,
            reset=_nothing_more,
            server_settings={"application_name": self._source},
        )
        async with self.connection() as connection:
            return await migrate(connection, migrations)

    async def stop(self) -> None:
        if self._pool is not None:
            try:
                async with asyncio.timeout(3):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()
            self._pool = None

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection for reading."""
        async with self.pool.acquire() as connection:
            yield cast("asyncpg.Connection", connection)  # the pool's proxy of one

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection all of whose reads see one moment, for what is put together from several; what it writes
        (who looked) is committed at its end."""
        async with self.connection() as connection, connection.transaction(isolation="repeatable_read"):
            yield connection

    @asynccontextmanager
    async def connection_apart(self, session: Mapping[str, str]) -> AsyncGenerator[asyncpg.Connection]:
        """A connection outside the pool, with its own settings of the session, for a loop that keeps it."""
        connection = await asyncpg.connect(
            self._settings.database_url.get_secret_value(),
            command_timeout=_STATEMENT_SECONDS,
            server_settings={"application_name": self._source, **session},
        )
        try:
            yield connection
        finally:
            connection.terminate()

    @asynccontextmanager
    async def transaction(
        self, cause: Envelope | None = None, *, correlation_id: str | None = None
    ) -> AsyncGenerator[Transaction]:
        """All of it or nothing: tables, events, timers, outside tasks. Wakes whoever has work by it.

        `correlation_id` is the chain of events that it belongs to, where no event is its cause.
        """
        async with self.connection() as connection:
            async with connection.transaction():
                reached("begin")
                transaction = Transaction(connection, self._clock.now(), self._source, cause, correlation_id)
                yield transaction
                wakes = await transaction.flush()
                reached("before_commit")
            reached("after_commit")
            for name in wakes:
                self.wakes.wake(name)
            reached("after_wake")


async def _nothing_more(connection: asyncpg.Connection) -> None:
    """Instead of four statements each time that a connection comes back: nobody here changes a session's state.

    What is left of a transaction is rolled back all the same.
    """
