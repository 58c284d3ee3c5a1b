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

from deploy.local import postgres as postgres_server
from deploy.local.kafka import Kafka
from deploy.local.kafka_distribution import fetch_in_background
from deploy.local.places import home
from deploy.local.postgres import Postgres


class Engines:
    """An embedded Postgres and an embedded Kafka, started side by side.

    Without a `folder` they live in a temporary one, removed at the end. `durable=False` drops Postgres's
    safety against power cuts. `password` is the database administrator's; made up if not given.
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
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or temporary_folder("engines")
        self._durable = durable
        self._logical = logical
        self._password = password or secrets.token_urlsafe(24)
        self._ports = (postgres_port, kafka_port)
        self.postgres: Postgres | None = None
        self.kafka: Kafka | None = None

    @property
    def admin_dsn(self) -> str:
        """The database administrator's connection string. Holds a password: never log it."""
        assert self.postgres, "start the engines first"
        return self.postgres.dsn

    @property
    def bootstrap(self) -> str:
        """Kafka's bootstrap servers, host:port."""
        assert self.kafka, "start the engines first"
        return self.kafka.bootstrap

    async def start(self) -> None:
        """Returns when both accept connections. Raises StartError, having stopped what had started."""
        logs = self.folder / "logs"
        distribution = await fetch_in_background()
        self.postgres = Postgres(
            self.folder / "postgres",
            password=self._password,
            log=logs / "postgres.log",
            durable=self._durable,
            logical=self._logical,
        )
        self.kafka = Kafka(self.folder / "kafka", distribution, log=logs / "kafka.log")
        postgres_port, kafka_port = self._ports
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self.kafka.start(kafka_port))
                both.create_task(self.postgres.start(postgres_port))
        except BaseException as problem:
            await self.stop()
            if isinstance(problem, BaseExceptionGroup):
                raise problem.exceptions[0] from None
            raise

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
    root = home() / "tmp"
    root.mkdir(parents=True, exist_ok=True)
    for old in root.iterdir():
        pid = old.name.split("-", 1)[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            postgres_server.remove(old / "postgres")
            shutil.rmtree(old, ignore_errors=True)
    folder = root / f"{os.getpid()}-{purpose}-{secrets.token_hex(4)}"
    folder.mkdir()
    return folder
