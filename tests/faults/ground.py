"""The ground of a trial: a clinic of its own, every link of it breakable, every process kept standing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

from chassis import points
from deploy.local.engines import Engines, temporary_folder
from deploy.local.house import House
from deploy.local.kafka import Kafka
from deploy.local.kafka_distribution import fetch_in_background
from deploy.local.large_clinic import large_clinic
from deploy.local.places import PROJECT
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.process import Child, StartError
from deploy.local.tenants import dsn_of_tenant, ensure_tenant
from deploy.local.topology import SANDBOX, SERVICES, Site, environment
from tests.faults.links import Link
from tests.faults.plan import LEASE_SECONDS, OUTSIDE_LINKS, WITNESS
from tests.faults.small_disk import SmallDisk
from tests.waiting import eventually

PAUSE_SECONDS = 0.3
"""Before a process that died is started again."""
SPEED = 2.0
"""Clinic seconds in a second. Not one, so that a process can be made to live at another time."""
_CLINICIANS = 40
"""So many that nobody is left without a time, however long a trial is."""


class KafkaWithDoors(Kafka):
    """Kafka with a listener for each process, told to be reached by the link in front of it."""

    doors: dict[str, tuple[int, int]]
    """By name: where it listens, and where it says that it does."""

    def _configure(self, controller_port: int) -> Path:
        properties = super()._configure(controller_port)
        own = f"BROKER://{LOOPBACK}:{self.port}"
        listens = [own, *(f"{door.upper()}://{LOOPBACK}:{at}" for door, (at, _) in self.doors.items())]
        says = [own, *(f"{door.upper()}://{LOOPBACK}:{link}" for door, (_, link) in self.doors.items())]
        kinds = ["BROKER:PLAINTEXT", "CONTROLLER:PLAINTEXT", *(f"{door.upper()}:PLAINTEXT" for door in self.doors)]
        with properties.open("a") as file:
            file.write(f"listeners={','.join([*listens, f'CONTROLLER://{LOOPBACK}:{controller_port}'])}\n")
            file.write(f"advertised.listeners={','.join(says)}\nlistener.security.protocol.map={','.join(kinds)}\n")
        return properties


class TrialEngines(Engines):
    """A Postgres that loses nothing when it is stopped at once, and a Kafka with doors."""

    doors: dict[str, tuple[int, int]]

    async def start_kafka(self) -> None:
        port = self.kafka.port if self.kafka else 0
        kafka = KafkaWithDoors(
            self.folder / "kafka", await fetch_in_background(), log=self.folder / "logs" / "kafka.log"
        )
        kafka.doors = self.doors
        self.kafka = kafka
        await kafka.start(port)
        if port and kafka.port != port:
            raise StartError("Kafka's port was taken while it was away")


class _House(House):
    """A house in which a part may be started otherwise than in a clinic."""

    commands: dict[str, list[str]]
    surveyed: Callable[[Site], None]

    def _survey(self) -> Site:
        site = super()._survey()
        self.surveyed(site)
        return site

    def command(self, part: str) -> list[str]:
        return self.commands.get(part) or super().command(part)


class Ground:
    """`services` are those that stand, beside the witness and the outside world. `sabotage` names, for a process,
    what of the event core is broken in it on purpose, separated by commas: see sabotage.py."""

    def __init__(
        self,
        *,
        services: Iterable[str] = SERVICES,
        sabotage: dict[str, str] | None = None,
        logs_to: Path | None = None,
    ) -> None:
        self.processes = (*services, WITNESS)
        self.folder = temporary_folder("faults")
        self.kills: Counter[str] = Counter()
        self.timeline: list[dict[str, Any]] = []
        self._sabotage = sabotage or {}
        self._taken: list[int] = []
        self._extra: dict[str, dict[str, str]] = {part: {} for part in (*self.processes, SANDBOX)}
        self._others: dict[str, Child] = {}
        self._held: set[str] = set()
        self._returning: set[asyncio.Task[None]] = set()
        self._ports_of_others: dict[str, int] = {}
        self._logs_to = logs_to
        self.links: dict[str, Link] = {}
        self.disk = SmallDisk()
        self.engines = TrialEngines(self.folder, durable=True)
        self.engines.doors = {}
        for who in self.processes:
            upstream = self._port()
            self.engines.doors[who] = upstream, self._link(f"{who}-kafka", upstream)
        origin = datetime.now(UTC)
        self.house = _House(
            self.folder, engines=self.engines, parts=(*services, SANDBOX), clock=(SPEED, origin), extra=self._extra
        )
        self.origin = origin
        self.house.surveyed = self._lead_outside
        self.house.commands = {
            who: [sys.executable, "-m", "tests.faults.sabotage", what, who] for who, what in self._sabotage.items()
        }

    # What stands

    @asynccontextmanager
    async def standing(self) -> AsyncGenerator[Ground]:
        """The whole clinic, ready, and kept so until the end; nothing is left behind."""
        keeping: asyncio.Task[None] | None = None
        try:
            await self.engines.start()
            await self.disk.put_under(self.engines)
            self._prepare()
            await asyncio.gather(*(link.open() for link in self.links.values()))
            await self.house.start_services()
            await asyncio.gather(*(self.links[name].open() for name in OUTSIDE_LINKS))
            await self._prepare_witness()
            keeping = asyncio.create_task(self._keep())
            await eventually(self.is_ready, within=120)
            yield self
        finally:
            if keeping is not None:
                keeping.cancel()
                await asyncio.gather(keeping, *self._returning, return_exceptions=True)
            for child in (*self._others.values(), *self.house.children().values()):
                child.send(signal.SIGCONT)
            await asyncio.gather(*(child.kill() for child in self._others.values()))
            with contextlib.suppress(KeyError):
                await self.house.stop_services()
            await asyncio.gather(*(link.close() for link in self.links.values()))
            await self.engines.stop()
            self.disk.take_away()
            if self._logs_to is not None:
                self.keep_logs(self._logs_to)
            shutil.rmtree(self.folder, ignore_errors=True)

    def note(self, what: str, **facts: Any) -> None:
        """Into the raw history, with the moment."""
        self.timeline.append({"at": time.time(), "what": what, **facts})

    @asynccontextmanager
    async def admin(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection of the database's administrator, past every link."""
        connection: asyncpg.Connection = await asyncpg.connect(self.engines.admin_dsn)
        try:
            yield connection
        finally:
            await connection.close()

    def schema(self, who: str) -> str:
        """Where a process keeps its tables."""
        return self.house.site.tenant(who)

    def child(self, who: str) -> Child:
        return self._others.get(who) or self.house.children()[who]

    def _port(self) -> int:
        self._taken.append(free_port(taken=self._taken))
        return self._taken[-1]

    def _link(self, name: str, upstream: int) -> int:
        """A link in front of a port. Returns its own."""
        self.links[name] = Link(name, upstream)
        return self.links[name].port

    def _prepare(self) -> None:
        """Links in front of the database and the outside world; the environment that leads through them."""
        assert self.engines.postgres
        (self.folder / "points").mkdir()
        for who in self.processes:
            port = self._link(f"{who}-postgres", self.engines.postgres.port)
            points.arm(self.page(who))
            self._extra[who] = {
                "STILLWATER_KAFKA": f"{LOOPBACK}:{self.links[f'{who}-kafka'].port}",
                f"STILLWATER_{who.upper()}_DATABASE_URL": self._dsn(who, port),
                f"STILLWATER_{who.upper()}_LEASE_SECONDS": str(LEASE_SECONDS),
                points.VARIABLE: str(self.page(who)),
            }
        own = {
            "scheduling": {"STILLWATER_SCHEDULING_CLINIC_FILE": str(large_clinic(self.folder, _CLINICIANS))},
            "billing": {"STILLWATER_BILLING_ASK_TIMEOUT_SECONDS": "3"},
            "notify": {
                "STILLWATER_NOTIFY_SMTP_SECONDS": "3",
                "STILLWATER_NOTIFY_CARRIER_SECONDS": "3",
                "STILLWATER_NOTIFY_SECONDS_PER_SEND": "5",
            },
        }
        for who, knobs in own.items():
            self._extra.setdefault(who, {}).update(knobs)

    def _lead_outside(self, site: Site) -> None:
        """Links in front of the outside world, as soon as it is known where that will be."""
        self._taken += site.ports.values()
        for name, upstream in (("billing-gateway", SANDBOX), ("notify-carrier", SANDBOX), ("notify-mail", "smtp")):
            self._link(name, site.ports[upstream])
        gateway, carrier, mail = (self.links[name].port for name in OUTSIDE_LINKS)
        self._extra["billing"]["STILLWATER_BILLING_GATEWAY_URL"] = f"http://{LOOPBACK}:{gateway}/payer/real-time"
        self._extra["notify"]["STILLWATER_NOTIFY_CARRIER_URL"] = f"http://{LOOPBACK}:{carrier}/carrier"
        self._extra["notify"]["STILLWATER_NOTIFY_SMTP_PORT"] = str(mail)

    def _dsn(self, who: str, port: int) -> str:
        secret = self.house.vault.secret(f"database of {who}")
        name = f"stillwater_{who}"
        return dsn_of_tenant(self.engines.admin_dsn, name, secret).replace(
            f":{urlsplit(self.engines.admin_dsn).port}/", f":{port}/"
        )

    async def _prepare_witness(self) -> None:
        async with self.admin() as admin:
            await ensure_tenant(admin, self.schema(WITNESS), self.house.vault.secret(f"database of {WITNESS}"))
        await self.start_other(WITNESS, WITNESS)

    # Processes

    def page(self, who: str) -> Path:
        """The file in which a process is told at which point to die."""
        return self.folder / "points" / who

    async def start_other(self, name: str, who: str, extra: dict[str, str] | None = None) -> None:
        """The witness, or a further process of a service, at a port of its own. Not waited for."""
        port = self._port()
        own = {f"STILLWATER_{who.upper()}_PORT": str(port)}
        if who == WITNESS:
            env = environment("console", self.house.site)
            argv = [sys.executable, "-m", "tests.faults.witness"]
            if what := self._sabotage.get(WITNESS):
                argv = [sys.executable, "-m", "tests.faults.sabotage", what, "tests.faults.witness"]
        else:
            env, argv = environment(who, self.house.site), self.house.command(who)
        self._ports_of_others[name] = port
        self._others[name] = await Child.start(
            name,
            argv,
            log=self.house.logs / f"{name}.log",
            env=env | self._extra[who] | own | (extra or {}),
            folder=PROJECT,
        )

    async def replica(self, who: str) -> None:
        """A second process of a service, unless there is one."""
        name = f"{who}-2"
        if name not in self._others:
            # The page is the first one's: a point kills whichever process comes to it.
            await self.start_other(name, who)

    async def dismiss(self, who: str, number: signal.Signals) -> None:
        """End the second process of a service, by SIGTERM or SIGKILL."""
        child = self._others.pop(f"{who}-2", None)
        if child is None:
            return
        if number is signal.SIGKILL:
            self.kills[who] += 1
            await child.kill()
        else:
            await child.stop((signal.SIGTERM, 15.0))

    def kill(self, who: str) -> None:
        """SIGKILL. The keeper starts it again."""
        child = self.child(who)
        if child.running:
            self.kills[who] += 1
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

    async def live_apart(self, who: str, hours: float) -> None:
        """End a process gently, and start it so that its clinic clock is ahead by so many hours."""
        # clinic time = origin + (now - origin) · SPEED, so an earlier origin is a later clinic time
        origin = self.origin - timedelta(hours=hours / (SPEED - 1))
        self._held.add(who)
        try:
            self._extra[who]["STILLWATER_CLOCK_ORIGIN"] = origin.isoformat()
            await self.child(who).stop((signal.SIGTERM, 15.0))
            await self._start(who)
        finally:
            self._held.discard(who)

    async def _start(self, who: str) -> None:
        if who in self._others:
            await self.start_other(who, who.removesuffix("-2"))
        else:
            await self.house.start_part(who)

    async def _keep(self) -> None:
        """Start again what died, until cancelled."""
        while True:
            for who, child in {**self.house.children(), **self._others}.items():
                if not child.running and who not in self._held:
                    self._held.add(who)
                    returning = asyncio.create_task(self._bring_back(who, child.returncode))
                    self._returning.add(returning)
                    returning.add_done_callback(self._returning.discard)
            await asyncio.sleep(0.05)

    async def _bring_back(self, who: str, code: int | None) -> None:
        self.note("died", who=who, code=code)
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            if who in self.house.children() or who in self._others:
                await self._start(who)
                self.note("started", who=who)
        finally:
            self._held.discard(who)

    async def not_ready(self) -> list[str]:
        """What is not ready, of everything that should be."""
        ports = {part: self.house.site.ports[part] for part in self.house.parts} | self._ports_of_others
        async with httpx.AsyncClient(trust_env=False, timeout=3) as client:

            async def why(name: str, port: int) -> str | None:
                with contextlib.suppress(httpx.HTTPError):
                    answer = await client.get(f"http://{LOOPBACK}:{port}/readyz")
                    return None if answer.is_success else f"{name}: {answer.text[:200]}"
                return f"{name}: no answer"

            found = await asyncio.gather(*(why(name, port) for name, port in ports.items() if self._expected(name)))
        return [one for one in found if one]

    async def is_ready(self) -> bool:
        return not await self.not_ready()

    def _expected(self, name: str) -> bool:
        return name in self.house.parts or name in self._others

    def keep_logs(self, folder: Path) -> None:
        """What every process said, beside the raw history."""
        shutil.copytree(self.house.logs, folder, dirs_exist_ok=True)
