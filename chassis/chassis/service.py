"""A service: what it handles, waits for and reaches, put together and run."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import socket
from typing import Any, TypeVar, cast

import uvicorn
from prometheus_client import CollectorRegistry

from chassis import asyncapi, loop
from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.failures import cause_of
from chassis.http import create_app
from chassis.http.idempotency import forget_old_answers
from chassis.inbox import Handler, Inbox, Route
from chassis.log import logger, start_logging
from chassis.outside import Destination, OutsideTask, Pool, Told
from chassis.parking import Parking
from chassis.relay import Relay
from chassis.retention import Retention
from chassis.retrying import Retrying
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry
from chassis.timers import TimerHandler, Timers
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.event import Event
from contracts.registry import TOPICS

E = TypeVar("E", bound=Event)
A = TypeVar("A")


class _Server(uvicorn.Server):
    """Tells that it stops before it waits for the answers under way, and leaves the ending of the process to us."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """uvicorn's own raises the signal again at its end, which would kill the process before it has drained."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Service:
    """Compose one in `__main__.py`: `handle`, `on_timer`, `reach`, routers on `http`; then `run()`."""

    def __init__(self, name: str, settings: ServiceSettings, *, migrations: Path, pages: bool = False) -> None:
        self.name = name
        self.settings = settings
        self.clock = Clock(settings.clock_speed, settings.clock_origin)
        self.registry = CollectorRegistry()
        self.database = Database(f"stillwater/{name}", settings, self.clock)
        self.stopping = asyncio.Event()
        """Set when the service begins to stop: an answer without an end, such as an event stream, ends then."""
        self._telemetry = Telemetry(self.registry)
        self.http = create_app(
            name,
            token_key=settings.token_key,
            registry=self.registry,
            readiness=self.why_not_ready,
            database=self.database,
            pages=pages,
            asyncapi=self._asyncapi,
        )
        self._migrations = migrations
        self._parking = Parking(self.database, settings, self._telemetry)
        self._relay = (
            Relay(f"{settings.topic_prefix}{name}.events", self.database, settings, self._telemetry)
            if f"{name}.events" in TOPICS
            else None
        )
        self._timers = Timers(self.database, settings)
        self._routes: defaultdict[str, dict[str, Route]] = defaultdict(dict)
        self._pools: list[Pool[Any]] = []
        self._background: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._consumers: list[Consumer] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ready = False

    def handle(
        self,
        event: type[E],
        handler: Callable[[Transaction, E, Envelope], Awaitable[None]],
        *,
        consumer: str | None = None,
    ) -> None:
        """Have `handler` applied to each event of a type, in order for each subject.

        A `consumer` is a Kafka group, an inbox and a parking of its own, so that what fails in one holds up no other.
        """
        routes = self._routes[consumer or self.name]
        if event.type in routes:
            raise ValueError(f"{event.type} has a handler in {consumer or self.name} already")
        routes[event.type] = Route(event, cast("Handler", handler))

    def on_timer(self, name: str, handler: TimerHandler) -> None:
        """Have `handler` applied when a timer of this name falls due, in clinic time."""
        self._timers.on(name, handler)

    def reach(
        self,
        destination: str,
        call: Callable[[OutsideTask], Awaitable[A]],
        answered: Callable[[Transaction, OutsideTask, A], Awaitable[None]],
        *,
        gave_up: Told,
        workers: int = 4,
        timeout_seconds: float = 20.0,
        tries: int = 5,
        unapplied: Told | None = None,
    ) -> None:
        """Carry out outside tasks for `destination`: `call` outside of any transaction, then one with its answer.

        `unapplied` is called, in a transaction of its own, where `answered` failed through a fault of ours.
        """
        to = Destination(destination, call, answered, gave_up, workers, timeout_seconds, tries, unapplied=unapplied)
        self._pools.append(Pool(to, self.database, self._telemetry))

    def background(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep `run` running while the service does."""
        self._background.append((name, run))

    async def start(self) -> None:
        """Start everything but the HTTP listener; returns once it reads its share of the partitions."""
        await self._begin()
        await asyncio.gather(*(consumer.joined() for consumer in self._consumers))

    async def _begin(self) -> None:
        applied = await self.database.start(self._migrations)
        if applied:
            logger.info("migrated", migrations=applied)
        inboxes = {
            consumer: Inbox(consumer, routes, self.database, self._parking, self._telemetry)
            for consumer, routes in self._routes.items()
        }
        if self._relay is not None:
            self._keep("relay", self._relay.run)
        self._keep("telemetry", lambda: self._telemetry.sample(self.database))
        if inboxes:
            retrying = Retrying(inboxes, self.database, self.settings, self._telemetry)
            self._keep("retrying", retrying.run)
        self._keep("timers", self._timers.run)
        self._keep("retention", Retention(self.database, self.settings, forget_old_answers).run)
        for pool in self._pools:
            self._keep(f"outside:{pool.name}", pool.run)
        for name, run in self._background:
            self._keep(name, run)
        self._consumers = [self._consumer(inbox) for inbox in inboxes.values()]
        for consumer in self._consumers:
            consumer.start()
        self._ready = True

    async def stop(self) -> None:
        """Take nothing new, finish what is under way, publish what was decided, and free the leases."""
        self._ready = False
        self.stopping.set()
        await asyncio.gather(*(consumer.stop() for consumer in self._consumers))
        relay = self._tasks.pop("relay", None)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if relay is not None and self._relay is not None:
            await self._relay.stop()
            await asyncio.wait([relay], timeout=self.settings.drain_seconds)
            relay.cancel()
        self._tasks.clear()
        await self.database.stop()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Service]:
        """The whole service but its HTTP listener, for tests."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def why_not_ready(self) -> list[str]:
        """What keeps this service from making progress; empty when nothing does."""
        if not self._ready:
            return ["starting or stopping"]
        reasons = [reason for consumer in self._consumers if (reason := consumer.why_not_ready())]
        if self._relay is not None and (waited := self._relay.seconds_without_progress()) > 10:
            reasons.append(f"relay: no round ended well for {waited:.0f} s")
        try:
            async with asyncio.timeout(2), self.database.connection() as connection:
                await connection.execute("SELECT")
        except Exception as error:
            reasons.append(f"database: {cause_of(error)}")
        return reasons

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        start_logging(self.name)
        loop.run(self._serve())

    async def _serve(self) -> None:
        server = _Server(
            uvicorn.Config(
                self.http,
                host=self.settings.host,
                port=self.settings.port,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=3,
            ),
            self.stopping,
        )
        loop.settle()
        await self._begin()  # who asks is answered while a dead predecessor's share is still to be had
        logger.info("started", port=self.settings.port)
        try:
            await server.serve()
        finally:
            await self.stop()
            logger.info("stopped")

    def _asyncapi(self) -> asyncapi.Document:
        heard = [route.event for routes in self._routes.values() for route in routes.values()]
        return asyncapi.document(self.name, heard, self.settings.kafka, self.settings.topic_prefix)

    def _consumer(self, inbox: Inbox) -> Consumer:
        topics = sorted({route.event.topic() for route in self._routes[inbox.consumer].values()})
        return Consumer(inbox, topics, self.settings, self._telemetry)

    def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep a loop alive: what ends it by an error is said and waited out, never silent."""

        async def keep() -> None:
            while True:
                try:
                    return await run()
                except Exception as error:
                    logger.warning("loop_failed", loop=name, cause=cause_of(error))
                    await asyncio.sleep(0.5)

        self._tasks[name] = asyncio.create_task(keep(), name=name)
