"""Somebody who is called back: keeps what was posted, answers as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.waiting import eventually


@dataclass
class Posted:
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Listener:
    url: str
    heard: list[Posted] = field(default_factory=lambda: list[Posted]())
    answers: list[tuple[int, bytes]] = field(default_factory=lambda: list[tuple[int, bytes]]())
    """Status and body for the next ones that post; then 204."""

    async def posts(self, count: int) -> list[Posted]:
        """Wait until so many have posted."""

        async def enough() -> bool:
            return len(self.heard) >= count

        await eventually(enough)
        return self.heard

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.heard.append(Posted(request.split()[1], headers, body))
        status, content = self.answers.pop(0) if self.answers else (204, b"")
        head = f"HTTP/1.1 {status} So\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + content)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listener(**how: Any) -> AsyncGenerator[Listener]:
    heard = Listener("", **how)
    server = await asyncio.start_server(heard.take, "127.0.0.1", 0)
    heard.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield heard
