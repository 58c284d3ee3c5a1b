"""Links that can be cut, stalled and slowed: a TCP relay in front of everything that a service talks to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from enum import StrEnum

from deploy.local.ports import LOOPBACK

_CHUNK = 64 * 1024


class State(StrEnum):
    OPEN = "open"
    CUT = "cut"
    """Connections are reset, and new ones as soon as they are made."""
    STALLED = "stalled"
    """Connections stay, new ones are taken, and nothing comes through."""
    SLOW = "slow"
    """Each piece waits, in both directions."""


class Link:
    """One port in front of one far side. What waits while it is stalled goes through afterwards, in order."""

    def __init__(self, name: str, upstream: int) -> None:
        self.name = name
        self._socket = socket.create_server((LOOPBACK, 0))  # taken at once, so that nobody else gets it
        self.port: int = self._socket.getsockname()[1]
        self._upstream = upstream
        self._state = State.OPEN
        self._delay = 0.0
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, sock=self._socket, limit=_CHUNK)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._socket.close()
        self._reset()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    @contextmanager
    def broken(self, state: State, delay_seconds: float = 0.0) -> Generator[None]:
        """Until the block ends. `delay_seconds` is for a slow one."""
        self._state, self._delay = state, delay_seconds
        if state is State.CUT:
            self._reset()
        if state is State.STALLED:
            self._flows.clear()
        try:
            yield
        finally:
            self._state, self._delay = State.OPEN, 0.0
            self._flows.set()

    def _reset(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state is State.CUT:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._upstream, limit=_CHUNK)
        except OSError:
            writer.transport.abort()
            return
        for ours, theirs in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(ours, theirs))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(OSError):
                while piece := await reader.read(_CHUNK):
                    await self._flows.wait()
                    if self._delay:
                        await asyncio.sleep(self._delay)
                    writer.write(piece)
                    await writer.drain()
        finally:
            self._writers.discard(writer)
            with suppress(OSError):
                writer.close()
