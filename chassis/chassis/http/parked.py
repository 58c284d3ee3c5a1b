"""Parked records over HTTP: what waits and why, the next try, an end. What is in them is for auditors alone."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from chassis.database import Database
from chassis.http.access import record_access
from chassis.http.identity import requires
from chassis.http.problems import Problem
from chassis.parked import Decision, NotParked, NotTheHead, Parked, ParkedRecords
from chassis.tokens import Actor, Role

_LARGEST_ID: Final = 2**63 - 1

Id = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
Limit = Annotated[int, Query(ge=1, le=200)]
Staff = Annotated[Actor, requires(Role.STAFF, Role.BILLING, Role.CLINICIAN, Role.AUDITOR)]
Settler = Annotated[Actor, requires(Role.STAFF, Role.BILLING, Role.CLINICIAN)]
Auditor = Annotated[Actor, requires(Role.AUDITOR)]


class ParkedPage(BaseModel):
    """Records that wait, in the order in which they were parked."""

    parked: list[Parked]
    after: int | None = Field(description="Ask with this for the page that follows; null on the last one")


class Content(BaseModel):
    """Bytes of a record: as text where they are UTF-8, else in Base64."""

    text: str | None = None
    base64: str | None = None

    @classmethod
    def of(cls, content: bytes) -> Content:
        try:
            return cls(text=content.decode())
        except UnicodeDecodeError:
            return cls(base64=base64.b64encode(content).decode())


class ParkedWithContent(BaseModel):
    """A record and all that came with it."""

    parked: Parked
    key: Content
    headers: list[tuple[str, Content]]
    body: Content


class Discarding(BaseModel):
    """Why a record may come to nothing."""

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)] = Field(
        description="For whoever asks later. No names, no numbers of people.", examples=["Sent twice by a test"]
    )


class DecisionPage(BaseModel):
    """What people decided, newest first."""

    decisions: list[Decision]
    before: int | None = Field(description="Ask with this for the page that follows; null on the last one")


def parked_records(database: Database) -> APIRouter:
    router = APIRouter(prefix="/parked", tags=["parked records"])
    records = ParkedRecords(database)

    @router.get("", summary="Records that could not be applied")
    async def listed(
        _actor: Staff,
        key: Annotated[str | None, Query(min_length=1, max_length=300, description="All of one key")] = None,
        after: Annotated[int, Query(ge=0, le=_LARGEST_ID)] = 0,
        limit: Limit = 50,
    ) -> ParkedPage:
        """The first of each key with the number of those behind it; or all of one key."""
        found = await records.listed(after, limit + 1, key)
        return ParkedPage(parked=found[:limit], after=found[limit - 1].id if len(found) > limit else None)

    @router.get("/decisions", summary="Who replayed or discarded what, and when")
    async def decided(
        _actor: Staff, before: Annotated[int, Query(ge=1, le=_LARGEST_ID)] = _LARGEST_ID, limit: Limit = 50
    ) -> DecisionPage:
        found = await records.decisions(before, limit + 1)
        return DecisionPage(decisions=found[:limit], before=found[limit - 1].id if len(found) > limit else None)

    @router.get("/{id}", summary="One record with its content, which may be about a patient")
    async def opened(id: Id, actor: Auditor) -> ParkedWithContent:
        async with database.connection() as connection, _told_apart():
            parked, record = await records.opened(connection, id)
            await record_access(connection, actor, subjects=[parked.key], what="parked_record")
        headers = [(name, Content.of(value)) for name, value in record.headers]
        return ParkedWithContent(
            parked=parked, key=Content.of(record.key), headers=headers, body=Content.of(record.body)
        )

    @router.post("/{id}/replay", status_code=202, summary="Try it now; those behind it follow in order")
    async def replay(id: Id, actor: Settler) -> None:
        async with _told_apart():
            await records.replay(id, actor)

    @router.post("/{id}/discard", status_code=204, summary="Give it up for good; the next of its key is tried")
    async def discard(id: Id, wanted: Discarding, actor: Settler) -> None:
        async with _told_apart():
            await records.discard(id, actor, wanted.why)

    return router


@asynccontextmanager
async def _told_apart() -> AsyncGenerator[None]:
    try:
        yield
    except NotParked:
        raise Problem(404, "Not parked", "No record with this id is parked; it may have been settled.") from None
    except NotTheHead as fault:
        raise Problem(
            409, "Not its turn", f"Record {fault.head} of the same key stands before it: settle that one first."
        ) from None
