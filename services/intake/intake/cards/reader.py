"""Cards read in a process of their own, started when the first card comes and ended when none have come a while.

The models take hundreds of megabytes; this module takes none, and imports nothing of them. Pictures travel
through a pipe and touch no disk. Neither they nor what they say is logged or put into an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any

from intake.cards import frames
from intake.cards.model import CardReading


class CardUnreadable(Exception):
    """A file is not a picture that can be opened; the text says why and may be shown. No use in trying again."""


class CardReaderFailed(Exception):
    """The process took too long or died. The same card may be tried again."""


class CardReader:
    """Reads one card at a time, in the order asked.

    ``idle_seconds`` after the last card the process is ended; a card that is not read within ``timeout_seconds``,
    starting the process included, costs the process its life.
    """

    def __init__(self, *, idle_seconds: float = 30.0, timeout_seconds: float = 60.0, threads: int = 1) -> None:
        self._idle_seconds = idle_seconds
        self._timeout_seconds = timeout_seconds
        self._threads = threads
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._rest: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it lives."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def read(self, front: bytes, back: bytes | None = None) -> CardReading:
        """What a card says; a card that cannot be read has no fields.

        Raises CardUnreadable if a file is not a picture, CardReaderFailed if the process fails or is too slow.
        """
        async with self._turn:
            self._cancel_rest()
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    content = await self._ask(front, back)
            except BaseException as failure:
                await self._end()
                if isinstance(failure, TimeoutError):
                    raise CardReaderFailed(f"not read within {self._timeout_seconds:g} s") from None
                raise
            self._rest = asyncio.create_task(self._end_when_idle(), name="card reader's rest")
        if "refused" in content:
            raise CardUnreadable(content["refused"])
        return frames.reading_of(content)

    async def close(self) -> None:
        """End the process, if there is one, once the card in hand is read. May be called again."""
        async with self._turn:
            self._cancel_rest()
            await self._end()

    async def _ask(self, front: bytes, back: bytes | None) -> dict[str, Any]:
        process = await self._running()
        assert process.stdin and process.stdout
        try:
            for part in frames.question(front, back):
                process.stdin.write(part)
                await process.stdin.drain()
            (length,) = frames.LENGTH.unpack(await process.stdout.readexactly(frames.LENGTH.size))
            if length > frames.LONGEST_ANSWER:
                raise CardReaderFailed("the card-reading process gave an answer that is too long")
            return json.loads(await process.stdout.readexactly(length))
        except (OSError, EOFError, ValueError):
            await self._end()
            raise CardReaderFailed(f"the card-reading process ended with code {process.returncode}") from None

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            threads = str(self._threads)
            limits = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONUNBUFFERED": ""}
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "intake.cards", "serve"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=os.environ | limits,
            )
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        async with self._turn:
            self._rest = None
            await self._end()

    def _cancel_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
