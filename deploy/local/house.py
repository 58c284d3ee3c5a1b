"""The whole house: engines, a role and schema for each service, topics, five services and the sandbox.

async with House() as house:                      # ports, data and secrets of its own; removed at the end
    await client.post(f"{house.url('intake')}/…")
    await house.kill("billing")                   # as a crash would
    await house.start_part("billing")
"""

import asyncio
import shutil
import signal
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx

from deploy.local import postgres
from deploy.local.clinic_clock import clinic_time
from deploy.local.engines import Engines, temporary_folder
from deploy.local.kafka import create_topics, delete_topics
from deploy.local.places import PROJECT
from deploy.local.ports import free_port
from deploy.local.process import Child, StartError
from deploy.local.tenants import drop_tenant, ensure_tenant
from deploy.local.topology import (
    PARTITIONS,
    PARTS,
    PREFERRED_PORTS,
    SANDBOX,
    SERVICES,
    TOPICS,
    Site,
    command,
    environment,
)
from deploy.local.vault import Vault

READY_SECONDS = 60.0
_DRAIN_SECONDS = 12.0

Step = Callable[[str, float], None]
"""Told of each thing that stands: what, and the seconds that it took."""


class House:
    """One house, started and stopped by whoever made it. It restarts nothing by itself.

    `folder`: where its data and secrets lie; without one, a temporary folder. `engines`: running ones to share;
    without them, the house has its own, but for those that `database_url` and `kafka` name. `prefix` keeps houses
    on shared engines apart. `extra` holds further environment variables, by part. `step` is told of each thing
    that stands, `changed` of every new process.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        engines: Engines | None = None,
        prefix: str = "",
        parts: Iterable[str] = PARTS,
        clock: tuple[float, datetime] | None = None,
        patients_per_minute: float = 0.0,
        usual_ports: bool = False,
        durable: bool = True,
        database_url: str | None = None,
        kafka: str | None = None,
        extra: Mapping[str, Mapping[str, str]] | None = None,
        step: Step = lambda what, seconds: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or temporary_folder("house")
        self.vault = Vault(self.folder / "secrets.json")
        self._shares_engines = engines is not None
        self._wanted = dict(PREFERRED_PORTS) if usual_ports else dict.fromkeys(PREFERRED_PORTS, 0)
        self.engines = engines or Engines(
            self.folder,
            durable=durable,
            password=self.vault.secret("database administrator"),
            postgres_port=self._wanted["postgres"],
            kafka_port=self._wanted["kafka"],
            database_url=database_url,
            kafka=kafka,
        )
        self.prefix = prefix
        self.parts = tuple(parts)
        self.clock_speed, self.clock_origin = clock or (1.0, datetime.now(UTC))
        self._patients_per_minute = patients_per_minute
        self._extra = extra or {}
        self._step = step
        self._changed = changed
        self._children: dict[str, Child] = {}
        self._site: Site | None = None

    @property
    def site(self) -> Site:
        assert self._site, "start the house first"
        return self._site

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def topics(self) -> list[str]:
        return [f"{self.prefix}{topic}" for topic in TOPICS]

    def url(self, part: str) -> str:
        """http://127.0.0.1:port of a service or of the sandbox."""
        return self.site.url(part)

    def clinic_time(self) -> datetime:
        return clinic_time(self.clock_speed, self.clock_origin, datetime.now(UTC))

    def children(self) -> dict[str, Child]:
        """Every process that this house started and that has not been stopped, by name."""
        engines = {} if self._shares_engines else self.engines.children()
        return engines | self._children

    def folders(self) -> list[Path]:
        """Every folder that holds something of this house: Postgres's may have had to lie elsewhere."""
        server = None if self._shares_engines else self.engines.postgres
        return [self.folder, *([server.folder] if server else [])]

    def command(self, part: str) -> list[str]:
        """How a part is started."""
        return command(part)

    async def start(self) -> None:
        """Returns when every part is ready. Raises StartError, having stopped all that had started."""
        try:
            if not self._shares_engines:
                with self._timed(self.engines.description):
                    await self.engines.start()
                self._changed()
            await self.start_services()
        except BaseException:
            await self.stop()
            raise

    async def start_services(self) -> None:
        """Roles, schemas, topics, services and the sandbox, on engines that run."""
        self._site = self._survey()
        with self._timed("Roles, schemas and topics"):
            await asyncio.gather(
                self._ensure_tenants(),
                create_topics(self.engines.bootstrap, self.topics, partitions=PARTITIONS),
            )
        began = time.monotonic()
        for part in self.parts:
            await self.start_part(part)

        async def ready(part: str) -> None:
            await self.ready(part)
            self._step(part.capitalize(), time.monotonic() - began)

        try:
            async with asyncio.TaskGroup() as group:
                for part in self.parts:
                    group.create_task(ready(part))
        except ExceptionGroup as problems:
            # What the first one says is the cause; the others were only waiting.
            raise problems.exceptions[0] from None

    async def start_part(self, part: str) -> None:
        """Starts (again) one service or the sandbox, on its port, without waiting for it to be ready."""
        if part in self._children and self._children[part].running:
            raise StartError(f"{part} is running already.")
        self._children[part] = await Child.start(
            part,
            self.command(part),
            log=self.logs / f"{part}.log",
            env=environment(part, self.site) | dict(self._extra.get(part, {})),
            folder=PROJECT,
        )
        self._changed()

    async def ready(self, part: str, seconds: float = READY_SECONDS) -> None:
        """Returns when /readyz says so. Raises StartError if the part dies or time runs out."""
        url = f"{self.url(part)}/readyz"
        # No proxy stands between us and our own machine.
        async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
            deadline = time.monotonic() + seconds
            answer = "no answer"
            while time.monotonic() < deadline:
                child = self._children[part]
                if not child.running:
                    raise StartError(
                        f"{part} ended with code {child.returncode}. Its log is {child.log}:\n{child.last_words()}"
                    )
                try:
                    response = await client.get(url)
                    if response.is_success:
                        return
                    answer = f"{response.status_code} {response.text[:300]}"
                except httpx.HTTPError as problem:
                    answer = type(problem).__name__
                await asyncio.sleep(0.1)
        raise StartError(f"{part} was not ready after {seconds:.0f} s: {answer}. Its log is {self.logs / part}.log")

    async def kill(self, part: str) -> None:
        """SIGKILL to a service or the sandbox, and to what it started."""
        await self._children[part].kill()

    async def stop_part(self, part: str) -> bool:
        """Lets it drain, then makes sure. True if it ended by itself."""
        return await self._children[part].stop((signal.SIGTERM, _DRAIN_SECONDS))

    async def stop(self) -> None:
        """Services drain first, then the sandbox, Kafka and Postgres; a temporary folder is removed."""
        await self.stop_services()
        if not self._shares_engines:
            await self.engines.stop()
        elif self._temporary and self._site:
            await self._vacate()
        if self._temporary:
            postgres.remove(self.folder / "postgres")
            shutil.rmtree(self.folder, ignore_errors=True)

    async def stop_services(self) -> None:
        services = [part for part in SERVICES if part in self._children]
        await asyncio.gather(*(self.stop_part(part) for part in services))
        if SANDBOX in self._children:
            await self.stop_part(SANDBOX)
        self._children.clear()

    async def __aenter__(self) -> "House":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _survey(self) -> Site:
        ports: dict[str, int] = {}
        for name in (*PARTS, "smtp"):
            ports[name] = free_port(self._wanted[name], taken=ports.values())
        return Site(
            admin_dsn=self.engines.services_dsn,
            bootstrap=self.engines.bootstrap,
            prefix=self.prefix,
            ports=ports,
            folder=self.folder,
            vault=self.vault,
            clock_speed=self.clock_speed,
            clock_origin=self.clock_origin,
            patients_per_minute=self._patients_per_minute,
        )

    async def _ensure_tenants(self) -> None:
        admin = await asyncpg.connect(self.engines.admin_dsn)
        try:
            for service in SERVICES:
                await ensure_tenant(admin, self.site.tenant(service), self.vault.secret(f"database of {service}"))
        finally:
            await admin.close()

    async def _vacate(self) -> None:
        """Leaves nothing of a temporary house on engines that it shared."""
        admin = await asyncpg.connect(self.engines.admin_dsn)
        try:
            for service in SERVICES:
                await drop_tenant(admin, self.site.tenant(service))
        finally:
            await admin.close()
        await delete_topics(self.engines.bootstrap, self.topics)

    @contextmanager
    def _timed(self, what: str) -> Generator[None]:
        began = time.monotonic()
        yield
        self._step(what, time.monotonic() - began)
