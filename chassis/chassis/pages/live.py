"""Pages that stay true while they are looked at: one loop a process renders, many streams of events send it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Hashable
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol

import asyncpg
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.types import Message, Send

from chassis.database import Database
from chassis.failures import cause_of
from chassis.http import Actor, Problem, record_access
from chassis.log import logger
from chassis.settings import ServiceSettings

_HEARTBEAT_SECONDS: Final = 15.0
_SLOWEST_SECONDS: Final = 10.0
"""Whoever does not take an update within this is let go; their browser comes back."""


class LiveSettings(ServiceSettings):
    """The knobs of a service with live pages."""

    live_interval_seconds: float = Field(default=0.5, ge=0.1)
    """Open pages are brought up to date at most this often."""
    live_refresh_seconds: float = Field(default=5.0, ge=0.5)
    """And at least this often: times pass, and another replica may have heard something."""
    live_viewers: int = Field(default=200, ge=1)
    """Open pages at once in one process."""
    live_minutes: float = Field(default=15.0, gt=0)
    """A page's stream ends after this, and its browser signs in anew by itself."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parts of a page that change: element id → HTML. `patients` are those who can be seen in them."""

    fragments: dict[str, str]
    patients: frozenset[str]

    @property
    def mark(self) -> str:
        """The same for the same content."""
        return sha256("\0".join(f"{id}\0{html}" for id, html in sorted(self.fragments.items())).encode()).hexdigest()[
            :24
        ]


class View(Protocol):
    """What somebody looks at. Two viewers with equal keys see the same."""

    @property
    def key(self) -> Hashable: ...

    @property
    def what(self) -> str:
        """The word under which looks are recorded."""
        ...

    async def render(self, connection: asyncpg.Connection) -> Rendered: ...


@dataclass(eq=False, slots=True)
class _Viewer:
    view: View
    latest: Rendered | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, rendered: Rendered) -> None:
        """Only the newest waits to be sent, so that nobody's slowness costs memory."""
        self.latest = rendered
        self.news.set()


class Live:
    """Renders each distinct view once, for all who look at it: when something changed, and now and then."""

    def __init__(self, database: Database, settings: LiveSettings, stopping: asyncio.Event, *, wake: str) -> None:
        """`wake` is the name under which a transaction tells that it changed what is looked at."""
        self._database = database
        self._settings = settings
        self._wake = wake
        self._stopping = stopping
        self._viewers: set[_Viewer] = set()

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    async def run(self) -> None:
        """At most one round in `live_interval_seconds`, however much happens; none while nobody looks."""
        while True:
            await self._database.wakes.sleep(self._wake, self._settings.live_refresh_seconds)
            if self._viewers:
                await self._render()
            await asyncio.sleep(self._settings.live_interval_seconds)

    async def _render(self) -> None:
        by_view: dict[Hashable, list[_Viewer]] = {}
        for viewer in self._viewers:
            by_view.setdefault(viewer.view.key, []).append(viewer)
        for viewers in by_view.values():
            try:
                async with self._database.snapshot() as connection:
                    rendered = await viewers[0].view.render(connection)
            except Exception as error:
                logger.warning("live_view_failed", view=viewers[0].view.what, cause=cause_of(error))
                continue
            for viewer in viewers:
                viewer.offer(rendered)

    def stream(self, view: View, actor: Actor, *, seen: str) -> StreamingResponse:
        """The answer that keeps a page up to date. `seen` is the mark of what the page shows already."""
        if len(self._viewers) >= self._settings.live_viewers:
            raise Problem(503, "Too many open pages", "Reload the page to see it as it is now.", headers=_LATER)
        return _EventStream(self._updates(_Viewer(view), actor, seen))

    async def _updates(self, viewer: _Viewer, actor: Actor, seen: str) -> AsyncGenerator[bytes]:
        self._viewers.add(viewer)
        ending = asyncio.create_task(self._stopping.wait())
        try:
            async with self._database.snapshot() as connection:
                first = await viewer.view.render(connection)
            shown, sent = (first.patients, first.fragments) if first.mark == seen else (frozenset[str](), {})
            viewer.offer(first)
            until = asyncio.get_running_loop().time() + self._settings.live_minutes * 60
            while not ending.done() and asyncio.get_running_loop().time() < until:
                if not await _news(viewer, ending):
                    yield KEEPALIVE_COMMENT
                    continue
                rendered = viewer.latest
                if ending.done() or rendered is None:
                    continue
                if new := rendered.patients - shown:
                    async with self._database.connection() as connection:
                        await record_access(connection, actor, subjects=new, what=viewer.view.what)
                changed = {id: html for id, html in rendered.fragments.items() if sent.get(id) != html}
                shown, sent = shown | new, rendered.fragments
                if changed:
                    yield format_sse_event(event="update", data_str=json.dumps(changed), id=rendered.mark)
        finally:
            ending.cancel()
            self._viewers.discard(viewer)


async def _news(viewer: _Viewer, ending: asyncio.Task[bool]) -> bool:
    """Wait for something to send, for the end, or for the time of a heartbeat. Returns False for the last."""
    waiting = asyncio.create_task(viewer.news.wait())
    try:
        done, _ = await asyncio.wait({waiting, ending}, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    viewer.news.clear()
    return bool(done)


_LATER: Final = {"Retry-After": "30"}


class _EventStream(StreamingResponse):
    """Server-sent events to a browser that has to take each one in time."""

    media_type = "text/event-stream"

    def __init__(self, updates: AsyncGenerator[bytes]) -> None:
        super().__init__(updates, headers={"Cache-Control": "no-store"})
        self._updates = updates

    async def stream_response(self, send: Send) -> None:
        async def in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(_SLOWEST_SECONDS):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnect from None

        async with aclosing(self._updates):
            await super().stream_response(in_time)
