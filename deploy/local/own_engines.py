"""A user's own Postgres and Kafka: checked before use, in words that say what is missing."""

from urllib.parse import urlsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.process import StartError

_OLDEST_POSTGRES = 15


async def check_postgres(url: str) -> None:
    """Raises StartError unless it is new enough and lets us create roles and schemas."""
    place = _place(url)
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as problem:
        raise StartError(
            f"STILLWATER_DATABASE_URL: no connection to Postgres at {place} ({type(problem).__name__}). "
            "Accepted is postgresql://user:password@host:port/database."
        ) from None  # the cause's text may hold the password
    try:
        major = connection.get_server_version().major
        if major < _OLDEST_POSTGRES:
            raise StartError(f"Postgres at {place} is version {major}; {_OLDEST_POSTGRES} or newer is needed.")
        may = await connection.fetchrow(
            "SELECT rolname, rolcreaterole OR rolsuper AS roles,"
            " has_database_privilege(current_database(), 'CREATE') AS schemas, current_database() AS database"
            " FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()
    assert may
    if not may["roles"]:
        raise StartError(
            f'The role at {place} may not create roles. An administrator can: ALTER ROLE "{may["rolname"]}" CREATEROLE'
        )
    if not may["schemas"]:
        raise StartError(
            f"The role at {place} may not create schemas. An administrator can: "
            f'GRANT CREATE ON DATABASE "{may["database"]}" TO "{may["rolname"]}"'
        )


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or 'localhost'}:{parts.port or 5432}"
    except ValueError:
        return "an address that cannot be read"


async def check_kafka(bootstrap: str) -> None:
    """Raises StartError unless a broker answers there."""
    try:
        # Made inside the block: it refuses a malformed address as it is made.
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
        try:
            await admin.start()
        finally:
            await admin.close()
    except (KafkaError, ValueError, OSError) as problem:
        raise StartError(
            f"STILLWATER_KAFKA: no answer from Kafka at {bootstrap} ({type(problem).__name__}). "
            "Accepted is host:port, or several separated by commas."
        ) from None
