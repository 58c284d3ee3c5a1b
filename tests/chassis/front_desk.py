"""A small application on the chassis's HTTP, and clients of it in each role."""

from datetime import timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from chassis.clock import Clock
from chassis.database import Database
from chassis.http import Role, create_app
from chassis.settings import ServiceSettings
from chassis.tokens import issue
from tests.services import SEAL_KEY, TOKEN_KEY

ORIGIN = "http://clinic.test"


def closed_database(dsn: str = "postgresql://nobody@localhost/nowhere") -> Database:
    """A database that has not been started."""
    settings = ServiceSettings(
        database_url=SecretStr(dsn),
        kafka="localhost:1",
        token_key=SecretStr(TOKEN_KEY),
        seal_key=SecretStr(SEAL_KEY),
    )
    return Database("stillwater/desk", settings, Clock())


async def open_database(dsn: str, folder: Path) -> Database:
    """A database with the chassis's tables and those of the migrations in `folder`."""
    database = closed_database(dsn)
    await database.start(folder)
    return database


def desk(database: Database | None = None, *, not_ready: list[str] | None = None, pages: bool = False) -> FastAPI:
    async def readiness() -> list[str]:
        return not_ready or []

    return create_app(
        "desk",
        token_key=SecretStr(TOKEN_KEY),
        registry=CollectorRegistry(),
        readiness=readiness,
        database=database or closed_database(),
        pages=pages,
    )


def token(role: Role, actor: str = "kim") -> str:
    return issue(TOKEN_KEY, actor, role, timedelta(hours=1))


def client(app: FastAPI, role: Role | None = None, actor: str = "kim") -> httpx.AsyncClient:
    """A client of `app`; with a bearer token where a role is given."""
    headers = {"Authorization": f"Bearer {token(role, actor)}"} if role else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers)
