"""`make run` and `make down`: one house, kept in `.stillwater/run`."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from deploy.local import postgres, ticker
from deploy.local.clinic_clock import resume
from deploy.local.doors import doors
from deploy.local.engines import sweep_temporary_folders
from deploy.local.house import House
from deploy.local.keeper import Keeper
from deploy.local.places import home
from deploy.local.preflight import Machine, inspect
from deploy.local.process import StartError
from deploy.local.run_record import RunRecord, Trace, claim, reap, traces
from deploy.local.screen import Screen
from deploy.local.topology import PREFERRED_PORTS, SERVICES
from deploy.local.vault import Vault

_RECORD_SECONDS = 30.0
_DOWN_SECONDS = 45.0


def run_folder() -> Path:
    return home() / "run"


def record_path() -> Path:
    return run_folder() / "house.json"


async def run(screen: Screen, *, speed: float, patients_per_minute: float) -> int:
    """Starts the house and stays until SIGINT or SIGTERM. Returns the exit code."""
    with claim(run_folder()) as alone:
        if not alone:
            return _say_that_it_runs(screen)
        if left := RunRecord.read(record_path()):
            _clear_up(left, screen)
        if not _fit(screen):
            return 1
        attended = _Run(screen)
        attended.house = _house(screen, left, attended.record, speed=speed, patients_per_minute=patients_per_minute)
        return await attended.through()


async def down(screen: Screen, *, clean: bool) -> int:
    """Stops a running house; with `clean`, deletes its data. Returns the exit code."""
    record = RunRecord.read(record_path())
    with claim(run_folder()) as alone:
        stopped = alone
    if not alone:
        supervisor = record.supervisor.find() if record else None
        if supervisor is None:
            screen.fail("Another command is just starting or stopping the house. Try again in a few seconds.")
            return 1
        screen.say("Stopping …")
        supervisor.send_signal(signal.SIGTERM)
        stopped = await _gone(supervisor.pid)
        if not stopped:
            supervisor.kill()
            await _gone(supervisor.pid)
    if record and (left := reap(record)):
        screen.say(f"Stopped what an earlier run had left: {', '.join(left)}.")
    screen.say("Stopped." if not alone else "Nothing is running.")
    if clean:
        postgres.remove(run_folder() / "postgres")
        shutil.rmtree(run_folder(), ignore_errors=True)
        sweep_temporary_folders()
        postgres.remove_copied_programs()
        screen.say(f"Deleted the data in {run_folder()}.")
        if os.environ.get("STILLWATER_DATABASE_URL"):
            screen.say(
                "Your own Postgres keeps what is in it: the schemas and roles "
                + ", ".join(f"stillwater_{service}" for service in SERVICES)
                + "."
            )
    return 0


class _Run:
    """A house from its start to its end, in the foreground."""

    house: House

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._ready = False
        self._end = asyncio.Event()

    async def through(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end.set)
        self.record()
        try:
            if not await self._start():
                return 1
            await self._stay()
        finally:
            await self._stop()
        return 0

    async def _start(self) -> bool:
        began = time.monotonic()
        self._screen.say("Stillwater is starting.")
        self._screen.working("Starting the engines, then the services")
        starting = asyncio.ensure_future(self.house.start())
        ended = asyncio.ensure_future(self._end.wait())
        await asyncio.wait({starting, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        self._screen.rest()
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return False
        try:
            starting.result()
        except StartError as problem:
            self._screen.fail(str(problem))
            return False
        self._ready = True
        self.record()
        self._screen.say(f"Ready after {time.monotonic() - began:.1f} s.")
        for name, port in self._moved():
            self._screen.say(f"Port {PREFERRED_PORTS[name]} is taken, so {name} listens on {port}.")
        self._screen.say(doors(self._urls(), self.house.vault.secret("tokens")))
        return True

    async def _stay(self) -> None:
        keeper = Keeper(self.house, self._screen.happened, self.record)
        companions = [
            asyncio.ensure_future(keeper.run()),
            asyncio.ensure_future(ticker.tick(self.house.site.bootstrap, self.house.topics, self._screen.happened)),
            asyncio.ensure_future(self._keep_record()),
        ]
        ended = asyncio.ensure_future(self._end.wait())
        await asyncio.wait({ended, *companions}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, *companions):
            task.cancel()
        for outcome in await asyncio.gather(ended, *companions, return_exceptions=True):
            if isinstance(outcome, Exception):
                self._screen.fail(f"{type(outcome).__name__}: {outcome}")

    async def _stop(self) -> None:
        began = time.monotonic()
        self._ready = False
        self._screen.working("Stopping: services first, then the engines")
        reached = self.house.clinic_time()
        await self.house.stop()
        self._screen.rest()
        RunRecord(Trace("supervisor", 0, 0.0), clinic_time=reached.isoformat()).write(record_path())
        self._screen.say(f"Everything is stopped, after {time.monotonic() - began:.1f} s.")

    async def _keep_record(self) -> None:
        while True:
            await asyncio.sleep(_RECORD_SECONDS)
            self.record()

    def record(self) -> None:
        supervisor = Trace.of("supervisor", os.getpid())
        assert supervisor
        RunRecord(
            supervisor,
            traces({name: child.pid for name, child in self.house.children().items()}),
            self._urls(),
            self.house.clinic_time().isoformat(),
            self._ready,
        ).write(record_path())

    def _urls(self) -> dict[str, str]:
        return {part: self.house.url(part) for part in self.house.parts} if self._ready else {}

    def _moved(self) -> list[tuple[str, int]]:
        ports = self.house.site.ports
        return [(name, port) for name, port in ports.items() if port != PREFERRED_PORTS[name]]


def _house(
    screen: Screen,
    left: RunRecord | None,
    changed: Callable[[], None],
    *,
    speed: float,
    patients_per_minute: float,
) -> House:
    folder = run_folder()
    reached = left.clinic_time_reached() if left else None
    clock = resume(speed, datetime.now(UTC), reached)
    if clock[0] != speed:
        screen.warn(
            f"The data is from the clinic's {reached:%d %B %Y}, so its calendar goes on from there. "
            "For today's date: make down CLEAN=1"
        )
    return House(
        folder,
        clock=clock,
        patients_per_minute=patients_per_minute,
        usual_ports=True,
        database_url=os.environ.get("STILLWATER_DATABASE_URL"),
        kafka=os.environ.get("STILLWATER_KAFKA"),
        step=screen.step,
        changed=changed,
    )


def _fit(screen: Screen) -> bool:
    own = bool(os.environ.get("STILLWATER_DATABASE_URL") and os.environ.get("STILLWATER_KAFKA"))
    findings = inspect(Machine.here(run_folder()), run_folder(), engines_needed=not own)
    for finding in findings:
        (screen.fail if finding.stops else screen.warn)(finding.text)
    return not any(finding.stops for finding in findings)


def _clear_up(left: RunRecord, screen: Screen) -> None:
    if names := reap(left):
        screen.say(f"An earlier run ended without stopping {', '.join(names)}: stopped now.")


def _say_that_it_runs(screen: Screen) -> int:
    record = RunRecord.read(record_path())
    if record and record.ready and record.supervisor.find():
        screen.say(f"Stillwater runs already (process {record.supervisor.pid}).")
        screen.say(doors(record.urls, Vault(run_folder() / "secrets.json").secret("tokens")))
        return 0
    screen.fail("Another command is just starting or stopping Stillwater. Try again in a few seconds, or: make down")
    return 1


async def _gone(pid: int) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DOWN_SECONDS):
            while True:
                with claim(run_folder()) as alone:
                    if alone:
                        return True
                await asyncio.sleep(0.1)
    return False
