"""One Postgres and one Kafka for the whole run; for each test a schema and a topic prefix of its own.

async def test_something(database: str, kafka: TopicSpace) -> None:
    connection = await asyncpg.connect(database)      # an empty schema, owned by a role of its own
    topic = await kafka.topic("intake.events")        # a new topic, e.g. "t3f9-intake.events"
"""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from deploy.local.engines import Engines
from deploy.local.kafka import create_topics
from deploy.local.tenants import drop_tenant, dsn_of_tenant, ensure_tenant


@dataclass(frozen=True)
class TopicSpace:
    """Kafka as one test sees it: topics and groups under a prefix that no other test uses."""

    bootstrap: str
    prefix: str

    def name(self, name: str) -> str:
        """A topic's or a group's name within this test."""
        return f"{self.prefix}-{name}"

    async def topic(self, name: str, partitions: int = 3) -> str:
        """Creates a topic and returns its full name."""
        full = self.name(name)
        await create_topics(self.bootstrap, [full], partitions=partitions)
        return full


@pytest.fixture(scope="session")
async def engines() -> AsyncIterator[Engines]:
    """The embedded Postgres and Kafka, up for the whole run."""
    async with Engines(durable=False) as engines:
        yield engines


@pytest.fixture
async def database(engines: Engines) -> AsyncIterator[str]:
    """The connection string of a new role that owns one empty schema, on its search path."""
    name, password = f"t{secrets.token_hex(4)}", secrets.token_hex(8)
    admin = await asyncpg.connect(engines.admin_dsn)
    try:
        await ensure_tenant(admin, name, password)
        yield dsn_of_tenant(engines.admin_dsn, name, password)
        await drop_tenant(admin, name)
    finally:
        await admin.close()


@pytest.fixture
async def kafka(engines: Engines) -> TopicSpace:
    """Kafka, with names of this test's own."""
    return TopicSpace(engines.bootstrap, f"t{secrets.token_hex(4)}")
