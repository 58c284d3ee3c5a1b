"""A user's own Postgres in place of the embedded one."""

import asyncpg
import pytest

from deploy.local.engines import Engines
from deploy.local.own_engines import check_kafka, check_postgres
from deploy.local.process import StartError
from deploy.local.tenants import drop_tenant, dsn_of_tenant, ensure_tenant

pytestmark = pytest.mark.engines


@pytest.fixture
async def modest(engines: Engines):
    """An administrator who may create roles and schemas, and nothing else."""
    admin = await asyncpg.connect(engines.admin_dsn)
    await admin.execute("CREATE ROLE modest LOGIN CREATEROLE PASSWORD 'modest'")
    await admin.execute("GRANT CREATE ON DATABASE stillwater TO modest")
    yield dsn_of_tenant(engines.admin_dsn, "modest", "modest")
    await admin.execute("DROP OWNED BY modest CASCADE")
    await admin.execute("DROP ROLE modest")
    await admin.close()


async def test_an_administrator_without_superpowers_makes_and_removes_a_tenant(modest: str) -> None:
    await check_postgres(modest)
    admin = await asyncpg.connect(modest)
    try:
        await ensure_tenant(admin, "under_modest", "one")
        await ensure_tenant(admin, "under_modest", "two")
        tenant = await asyncpg.connect(dsn_of_tenant(modest, "under_modest", "two"))
        await tenant.execute("CREATE TABLE card (member text)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await admin.execute("SELECT * FROM under_modest.card")
        await tenant.close()
        await drop_tenant(admin, "under_modest")
        assert not await admin.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = 'under_modest'")
    finally:
        await admin.close()


async def test_an_account_that_may_do_too_little_is_told_what_to_ask_for(engines: Engines, database: str) -> None:
    with pytest.raises(StartError, match="CREATEROLE"):
        await check_postgres(database)


@pytest.mark.parametrize(
    "url", ["postgresql://stillwater:hush-hush@127.0.0.1:9/stillwater", "nonsense", "postgresql://a:hush-hush@[/"]
)
async def test_an_address_where_nobody_answers_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StartError, match="STILLWATER_DATABASE_URL") as failure:
        await check_postgres(url)
    assert "hush-hush" not in str(failure.value)


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nonsense"])
async def test_a_broker_that_does_not_answer_is_said(address: str) -> None:
    with pytest.raises(StartError, match="STILLWATER_KAFKA"):
        await check_kafka(address)
