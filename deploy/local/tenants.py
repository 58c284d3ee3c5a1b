"""A role and a schema for each service, and nobody in another's."""

import base64
import hashlib
import hmac
import os
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

_ITERATIONS = 4096


async def ensure_tenant(admin: asyncpg.Connection, name: str, password: str) -> None:
    """The role `name`, which may log in with this password, owning the schema `name`.

    Safe to repeat. The administrator needs CREATEROLE and the right to create schemas in this database, no
    more. The role's search path is its own schema, and nobody else is granted anything in it.
    """
    role = _quoted(name)
    async with admin.transaction():
        # Two starts at the same moment would otherwise both find the role missing.
        await admin.execute("SELECT pg_advisory_xact_lock(hashtext('stillwater tenants'))")
        exists = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        verb = "ALTER" if exists else "CREATE"
        await admin.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{scram_verifier(password)}'")
        if await admin.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", name):
            return
        # To give a schema to a role one has to be a member of it; that is over when the schema is made.
        await admin.execute(f"GRANT {role} TO CURRENT_USER")
        await admin.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}")
        await admin.execute(f"ALTER ROLE {role} SET search_path = {role}")
        await admin.execute(f"REVOKE {role} FROM CURRENT_USER")


async def drop_tenant(admin: asyncpg.Connection, name: str) -> None:
    """Removes the role, its schema and all that is in it. Its sessions are ended first."""
    role = _quoted(name)
    if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
        return
    async with admin.transaction():
        await admin.execute(f"GRANT {role} TO CURRENT_USER")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", name)
        await admin.execute(f"DROP OWNED BY {role} CASCADE")
        await admin.execute(f"DROP ROLE {role}")


def dsn_of_tenant(admin_dsn: str, name: str, password: str) -> str:
    """The administrator's connection string with another name and password in it."""
    parts = urlsplit(admin_dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{quote(password)}@{place}"))


def scram_verifier(password: str) -> str:
    """What Postgres keeps of a password (RFC 5803), so that the password itself never travels in a statement,
    where a server set to log statements would write it down."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored, server = (base64.b64encode(raw).decode() for raw in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored}:{server}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
