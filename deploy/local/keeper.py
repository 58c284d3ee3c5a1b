"""Keeps a house standing: what dies is said and started again, with growing pauses."""

import asyncio
import time
from collections.abc import Callable

from deploy.local.house import House
from deploy.local.process import StartError

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 60.0
_LOOK_SECONDS = 0.25


class Keeper:
    """Watches every process of a house. `say` is told of each death and return, `changed` of new processes."""

    def __init__(self, house: House, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._house = house
        self._say = say
        self._changed = changed
        self._pauses: dict[str, float] = {}
        self._returned: dict[str, float] = {}
        self._returning: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                for name, child in self._house.children().items():
                    if not child.running and name not in self._returning:
                        self._returning[name] = asyncio.create_task(self._bring_back(name, child.returncode))
                for name in [name for name, task in self._returning.items() if task.done()]:
                    await self._returning.pop(name)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for task in self._returning.values():
                task.cancel()
            await asyncio.gather(*self._returning.values(), return_exceptions=True)

    async def _bring_back(self, name: str, code: int | None) -> None:
        pause = self._next_pause(name)
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        self._say(f"{name} {how}; starting it again in {pause:.1f} s (log: {self._house.logs / name}.log)")
        await asyncio.sleep(pause)
        self._returned[name] = time.monotonic()
        try:
            if name in ("postgres", "kafka"):
                await self._bring_back_engine(name)
            else:
                await self._house.start_part(name)
                await self._house.ready(name)
        except StartError as problem:
            self._say(f"{name} did not come back: {problem}")
        else:
            self._say(f"{name} is back")
        self._changed()

    async def _bring_back_engine(self, name: str) -> None:
        engines = self._house.engines
        before = (engines.admin_dsn, engines.bootstrap)
        await (engines.start_postgres() if name == "postgres" else engines.start_kafka())
        if (engines.admin_dsn, engines.bootstrap) != before:
            self._say(f"{name} had to move to another port; restarting the services")
            await self._house.stop_services()
            await self._house.start_services()

    def _next_pause(self, name: str) -> float:
        steady = time.monotonic() - self._returned.get(name, 0.0) > _STEADY_SECONDS
        pause = _FIRST_PAUSE if steady else min(self._pauses.get(name, _FIRST_PAUSE) * 2, _LONGEST_PAUSE)
        self._pauses[name] = pause
        return pause
