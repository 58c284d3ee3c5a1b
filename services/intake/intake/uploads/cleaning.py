"""An uploaded photograph made safe to keep: decoded, turned upright, drawn anew without what it carried along.

Decoding is the dangerous part, so it happens in a process of its own, one at a time, with limits on its memory
and time, no environment, and no file that it could write. The image passes through its pipes in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from obstore.exceptions import BaseError

from intake.uploads.faults import CardFault, CardRefused
from intake.uploads.sealing import CHUNK_BYTES, SealBroken
from intake.uploads.storage import CARDS, CardStore, SealedFile

_FAULT_BY_EXIT_CODE: Final = {
    10: CardFault.DAMAGED,
    11: CardFault.TOO_MANY_PIXELS,
}


@dataclass(frozen=True, slots=True)
class CleaningLimits:
    """What a picture may ask of us. Pixels are those of its header, checked before it is decoded."""

    pixels: int = 50_000_000
    long_side: int = 3_000
    """Of the picture kept; a larger one is scaled down."""
    quality: int = 90
    """JPEG, 1 to 95."""
    memory_bytes: int = 1_536 * 1024 * 1024
    """Address space of the decoding process."""
    seconds: float = 30.0
    """Time for one picture; processor time is limited to the same."""


class Cleaner:
    """Turns raw uploads into cards. Pictures wait for one another, so that memory holds one at most."""

    def __init__(self, store: CardStore, limits: CleaningLimits | None = None) -> None:
        self._store = store
        self._limits = limits or CleaningLimits()
        self._turn = asyncio.Semaphore(1)

    async def clean(self, raw: SealedFile) -> SealedFile:
        """A new sealed JPEG; `raw` is left for the caller to delete. Raises CardRefused."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._limits.seconds):
                    return await self._redraw(raw)
            except TimeoutError:
                raise CardRefused(CardFault.DAMAGED, cause="decoding took too long") from None
            except (BaseError, OSError, SealBroken) as error:
                raise CardRefused(CardFault.NOT_KEPT, cause=type(error).__name__) from None

    async def _redraw(self, raw: SealedFile) -> SealedFile:
        process = await self._start()
        try:
            async with contextlib.aclosing(self._store.read(raw)) as clear:
                await _feed(process, clear)
            card = await self._keep(process)
            exit_code = await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if exit_code == 0 and card is not None:
            return card
        if card is not None:
            await self._store.delete(card.name)
        fault = _FAULT_BY_EXIT_CODE.get(exit_code, CardFault.DAMAGED)
        raise CardRefused(fault, cause=f"decoder ended with {exit_code}")

    async def _start(self) -> asyncio.subprocess.Process:
        limits = self._limits
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            "intake.uploads.redraw",
            *map(str, (limits.pixels, limits.long_side, limits.quality)),
            *map(str, (limits.memory_bytes, int(limits.seconds))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"},
        )

    async def _keep(self, process: asyncio.subprocess.Process) -> SealedFile | None:
        assert process.stdout is not None
        if not (piece := await process.stdout.read(CHUNK_BYTES)):
            return None
        target = self._store.create(CARDS)
        try:
            while piece:
                await target.write(piece)
                piece = await process.stdout.read(CHUNK_BYTES)
            return await target.finish()
        except BaseException:
            await target.discard()
            raise


async def _feed(process: asyncio.subprocess.Process, clear: AsyncIterator[bytes]) -> None:
    """Hand the picture over; a decoder that has seen enough may hang up early."""
    assert process.stdin is not None
    async for piece in clear:
        try:
            process.stdin.write(piece)
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return
    process.stdin.close()
