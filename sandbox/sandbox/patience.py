"""Waiting on purpose, yet never longer than the process has to live."""

import asyncio


class Patience:
    """Waits that end early when the sandbox is closing."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()

    def end(self) -> None:
        self._closing.set()

    @property
    def ended(self) -> bool:
        return self._closing.is_set()

    async def wait(self, seconds: float) -> None:
        """Wait `seconds` of machine time, or until the sandbox closes."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    async def forever(self) -> None:
        await self._closing.wait()
