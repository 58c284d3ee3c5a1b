"""The embedded engines that every other test stands on."""

from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.engines import Engines
from deploy.local.postgres import Postgres
from deploy.local.tenants import drop_tenant, dsn_of_tenant, ensure_tenant
from tests.engines import TopicSpace

pytestmark = pytest.mark.engines


async def test_a_service_owns_its_schema_and_works_in_it_by_default(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE visit (room int4)")
    schema, role = await connection.fetchrow("SELECT current_schema(), current_user::text")  # type: ignore[misc]
    await connection.close()
    assert schema == role


async def test_no_service_reads_or_fills_anothers_schema(engines: Engines, database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("CREATE TABLE card (member text)")
    schema = await owner.fetchval("SELECT current_schema()")
    admin = await asyncpg.connect(engines.admin_dsn)
    await ensure_tenant(admin, "curious", "secret")
    stranger = await asyncpg.connect(dsn_of_tenant(engines.admin_dsn, "curious", "secret"))
    try:
        for attempt in (
            f"SELECT * FROM {schema}.card",
            f"CREATE TABLE {schema}.mine (x int)",
            "CREATE TABLE public.shared (x int)",
            f"SET ROLE {schema}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await stranger.execute(attempt)
    finally:
        await stranger.close()
        await drop_tenant(admin, "curious")
        await admin.close()
        await owner.close()


async def test_creating_a_tenant_again_changes_its_password_and_keeps_its_tables(engines: Engines) -> None:
    admin = await asyncpg.connect(engines.admin_dsn)
    await ensure_tenant(admin, "returning", "first")
    connection = await asyncpg.connect(dsn_of_tenant(engines.admin_dsn, "returning", "first"))
    await connection.execute("CREATE TABLE kept (x int)")
    await connection.close()
    await ensure_tenant(admin, "returning", "second")
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(dsn_of_tenant(engines.admin_dsn, "returning", "first"))
        connection = await asyncpg.connect(dsn_of_tenant(engines.admin_dsn, "returning", "second"))
        assert await connection.fetch("SELECT * FROM kept") == []
        await connection.close()
    finally:
        await drop_tenant(admin, "returning")
        await admin.close()


async def test_what_the_database_refuses_is_not_written_to_its_log(engines: Engines, database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE person (name text CHECK (name <> 'Ada Quill'), born date)")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO person VALUES ('Ada Quill', '1990-01-01')")
    with pytest.raises(asyncpg.DataError):
        await connection.execute("INSERT INTO person (born) VALUES ('Ada Quill')")
    await connection.close()
    assert engines.postgres and engines.postgres.child
    log = engines.postgres.child.log.read_text()
    assert "ready to accept connections" in log
    assert "Ada Quill" not in log


async def test_a_record_sent_to_kafka_is_read_by_a_group(kafka: TopicSpace) -> None:
    topic = await kafka.topic("events")
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"hello", key=b"patient")
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, group_id=kafka.name("readers"), auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"patient", b"hello")


async def test_services_come_by_the_socket_and_by_no_other_password_than_over_tcp(engines: Engines) -> None:
    connection = await asyncpg.connect(engines.services_dsn)
    assert await connection.fetchval("SELECT inet_server_addr() IS NULL"), "a Unix socket has no address"
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn_of_tenant(engines.services_dsn, "stillwater", "another"))


def test_where_the_datas_path_is_too_long_for_a_socket_tcp_is_used(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / ("a" * 120), password="secret", log=tmp_path / "log")
    postgres.port = 5432
    assert postgres.socket_dsn == postgres.dsn
