"""Postgres and Kafka together, on ports and data of their own.

async with Engines() as engines:
    await asyncpg.connect(engines.admin_dsn)
    AIOKafkaProducer(bootstrap_servers=engines.bootstrap)
"""

import asyncio
import os
import secrets
import shutil
from pathlib import Path

import psutil

from deploy.local import own_engines
from deploy.local import postgres as postgres_server
from deploy.local.kafka import Kafka
from deploy.local.kafka_distribution import fetch_in_background
from deploy.local.places import home
from deploy.local.postgres import Postgres
from deploy.local.process import Child


class Engines:
    """An embedded Postgres and an embedded Kafka, started side by side.

    Without a `folder` they live in a temporary one, removed at the end. `durable=False` drops Postgres's
    safety against power cuts; `logical=True` has it write what logical replication needs. `password` is the
    database administrator's; made up if not given. `database_url` and `kafka` name a user's own engines, which
    are checked, used, and neither started nor stopped.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        durable: bool = True,
        logical: bool = False,
        password: str | None = None,
        postgres_port: int = 0,
        kafka_port: int = 0,
        database_url: str | None = None,
        kafka: str | None = None,
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or temporary_folder("engines")
        self._durable = durable
        self._logical = logical
        self._password = password or secrets.token_urlsafe(24)
        self._ports = (postgres_port, kafka_port)
        self._database_url = database_url
        self._bootstrap = kafka
        self.postgres: Postgres | None = None
        self.kafka: Kafka | None = None

    @property
    def admin_dsn(self) -> str:
        """The database administrator's connection string. Holds a password: never log it."""
        if self._database_url:
            return self._database_url
        assert self.postgres, "start the engines first"
        return self.postgres.dsn

    @property
    def services_dsn(self) -> str:
        """The same, as it serves processes on this machine best."""
        return self.admin_dsn if self._database_url or not self.postgres else self.postgres.socket_dsn

    @property
    def bootstrap(self) -> str:
        """Kafka's bootstrap servers, host:port."""
        if self._bootstrap:
            return self._bootstrap
        assert self.kafka, "start the engines first"
        return self.kafka.bootstrap

    @property
    def description(self) -> str:
        """Which engines these are, for people."""
        postgres = "Your Postgres" if self._database_url else "Postgres"
        return f"{postgres} and {'your Kafka' if self._bootstrap else 'Kafka'}"

    def children(self) -> dict[str, Child]:
        """The processes that were started, by name."""
        children = {
            "kafka": self.kafka.child if self.kafka else None,
            "postgres": self.postgres.child if self.postgres else None,
        }
        return {name: child for name, child in children.items() if child}

    async def start(self) -> None:
        """Returns when both accept connections. Raises StartError, having stopped what had started."""
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self.start_kafka())
                both.create_task(self.start_postgres())
        except BaseException as problem:
            await self.stop()
            if isinstance(problem, BaseExceptionGroup):
                raise problem.exceptions[0] from None
            raise

    async def start_postgres(self) -> None:
        """Postgres alone; after a crash, on the port it had if that is still free."""
        if self._database_url:
            await own_engines.check_postgres(self._database_url)
            return
        port = self.postgres.port if self.postgres else self._ports[0]
        self.postgres = Postgres(
            self.folder / "postgres",
            password=self._password,
            log=self.folder / "logs" / "postgres.log",
            durable=self._durable,
            logical=self._logical,
        )
        await self.postgres.start(port)

    async def start_kafka(self) -> None:
        """Kafka alone; after a crash, on the port it had if that is still free."""
        if self._bootstrap:
            await own_engines.check_kafka(self._bootstrap)
            return
        port = self.kafka.port if self.kafka else self._ports[1]
        distribution = await fetch_in_background()
        self.kafka = Kafka(self.folder / "kafka", distribution, log=self.folder / "logs" / "kafka.log")
        await self.kafka.start(port)

    async def stop(self) -> None:
        """Kafka first, then Postgres; a temporary folder is removed."""
        if self.kafka:
            await self.kafka.stop()
        if self.postgres:
            await self.postgres.stop()
        if self._temporary:
            postgres_server.remove(self.folder / "postgres")
            shutil.rmtree(self.folder, ignore_errors=True)

    async def __aenter__(self) -> "Engines":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def temporary_folder(purpose: str) -> Path:
    """A new folder under `.stillwater/tmp`, named after this process; those of dead processes are removed."""
    sweep_temporary_folders()
    folder = home() / "tmp" / f"{os.getpid()}-{purpose}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    return folder


def sweep_temporary_folders() -> None:
    """Removes the temporary folders of processes that are gone."""
    for old in (home() / "tmp").glob("*-*"):
        pid = old.name.split("-", 1)[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            postgres_server.remove(old / "postgres")
            shutil.rmtree(old, ignore_errors=True)
