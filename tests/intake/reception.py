"""Intake on a database of its own, without a broker: what it says waits in the outbox, where tests read it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from chassis.http import Role
from chassis.record_batch import decoded
from chassis.service import Service
from contracts.event import Event
from contracts.registry import EVENT_TYPES
from intake.__main__ import MIGRATIONS, compose
from intake.settings import IntakeSettings
from tests.chassis.front_desk import client
from tests.services import SEAL_KEY, TOKEN_KEY


def intake_settings(database: str, folder: Path, **knobs: Any) -> IntakeSettings:
    return IntakeSettings(
        **{
            "database_url": SecretStr(database),
            "kafka": "localhost:1",
            "token_key": SecretStr(TOKEN_KEY),
            "seal_key": SecretStr(SEAL_KEY),
            "card_folder": folder / "cards",
            "card_keys_file": folder / "keys" / "cards.json",
            **knobs,
        }
    )


@dataclass(frozen=True)
class Reception:
    """A running intake and a person in front of it."""

    service: Service
    settings: IntakeSettings
    person: httpx.AsyncClient

    async def send(
        self, *, key: str | None = None, files: dict[str, Any] | None = None, html: bool = False, **values: str
    ) -> httpx.Response:
        """Send the form as multipart, as a browser does; answers JSON unless `html`."""
        headers = {"Accept": "text/html" if html else "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        fields: dict[str, Any] = {name: (None, value) for name, value in values.items()}
        return await self.person.post("/", files={**fields, **(files or {})}, headers=headers)

    async def said(self) -> list[tuple[str, Event]]:
        """Every event with its subject, in order."""
        return [_event(row["record"]) for row in await self.rows("SELECT record FROM outbox ORDER BY id")]

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        async with self.service.database.connection() as connection:
            return await connection.fetch(sql, *values)

    async def count(self, table: str) -> int:
        return (await self.rows(f"SELECT count(*) FROM {table}"))[0][0]

    def stored(self) -> list[Path]:
        return [path for path in self.settings.card_folder.rglob("*") if path.is_file()]

    def staff(self, role: Role | None = Role.STAFF) -> httpx.AsyncClient:
        return client(self.service.http, role)


@asynccontextmanager
async def reception(database: str, folder: Path, **knobs: Any) -> AsyncIterator[Reception]:
    settings = intake_settings(database, folder, **knobs)
    service = compose(settings)
    await service.database.start(MIGRATIONS)
    try:
        async with client(service.http) as person:
            yield Reception(service, settings, person)
    finally:
        await service.database.stop()


def _event(record: bytes) -> tuple[str, Event]:
    key, headers, body = decoded(record)
    kind = dict(headers)["ce_type"].decode()
    return key.decode(), EVENT_TYPES[kind].model_validate(json.loads(body))
