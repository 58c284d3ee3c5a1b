"""Who looked at whom: recorded with every read of a patient, shown to auditors (45 CFR 164.312(b))."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.database import Database
from chassis.http.context import request_id
from chassis.http.identity import requires
from chassis.tokens import Actor, Role

_RECORD: Final = """
INSERT INTO access_log (actor, role, subjects, what, request_id) VALUES ($1, $2, $3, $4, $5)
"""

_OF_ALL: Final = """
SELECT id, at, actor, role, subjects, what, request_id FROM access_log WHERE id < $1 ORDER BY id DESC LIMIT $2
"""

_OF_SUBJECT: Final = """
SELECT id, at, actor, role, subjects, what, request_id FROM access_log
WHERE id < $1 AND subjects @> ARRAY[$3::text] ORDER BY id DESC LIMIT $2
"""

_NEWEST: Final = 2**63 - 1


async def record_access(connection: asyncpg.Connection, actor: Actor, *, subjects: Iterable[str], what: str) -> None:
    """Write down that `actor` sees `what` (a short word of ours, such as `coverage`) of these patients.

    Call it before answering: what cannot be recorded is not shown. Nobody seen, nothing written.
    """
    if seen := sorted(set(subjects)):
        await connection.execute(_RECORD, actor.name, actor.role.value, seen, what, request_id())


class Access(BaseModel):
    """One look."""

    id: int
    at: datetime = Field(description="By the machine's clock")
    actor: str
    role: str
    subjects: list[str]
    what: str
    request_id: str | None


class AccessPage(BaseModel):
    """Looks, newest first."""

    accesses: list[Access]
    before: int | None = Field(description="Ask with this for the page that follows; null on the last one")


def access_log(database: Database) -> APIRouter:
    router = APIRouter(tags=["audit"])

    @router.get("/access-log", summary="Who looked at whom")
    async def read(
        actor: Annotated[Actor, requires(Role.AUDITOR)],
        subject: Annotated[str | None, Query(min_length=1, max_length=100, description="A patient id")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        before: Annotated[int, Query(ge=1, le=_NEWEST)] = _NEWEST,
    ) -> AccessPage:
        async with database.connection() as connection:
            if subject is None:
                rows = await connection.fetch(_OF_ALL, before, limit + 1)
            else:
                rows = await connection.fetch(_OF_SUBJECT, before, limit + 1, subject)
                await record_access(connection, actor, subjects=[subject], what="access_log")
        accesses = [Access.model_validate(dict(row)) for row in rows[:limit]]
        return AccessPage(accesses=accesses, before=accesses[-1].id if len(rows) > limit else None)

    return router
