"""What people were told, for staff. Every look at a patient is recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from chassis.database import Database
from chassis.http import Actor, Problem, Role, record_access, requires
from contracts.notify import Channel
from notify.messages import store
from notify.messages.store import Fate, Message

Reader = Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN, Role.BILLING)]
READ_WORDS = frozenset({Role.STAFF, Role.CLINICIAN})
LAST = "message_~"
"""Sorts behind every message id."""

Before = Annotated[str, Query(min_length=1, max_length=100, pattern="^message_[0-9a-f~-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]


class MessageShown(BaseModel):
    message_id: str
    patient_id: str
    purpose: str = Field(description="What it was for: told once by each channel")
    template: str
    channel: Channel
    fate: Fate
    cause: str | None = Field(description="Why it failed: an error class or the carrier's code")
    decided_at: datetime
    fated_at: datetime
    said: str | None = Field(None, description="As it was sent; only where asked for by a role that may read it")


class MessagePage(BaseModel):
    messages: list[MessageShown] = Field(description="The latest first")
    before: str | None = Field(description="Ask with this for the page that follows; null on the last one")


def messages(database: Database) -> APIRouter:
    router = APIRouter(tags=["messages"])

    @router.get("/patients/{patient_id}/messages", summary="What one patient was told")
    async def to_patient(
        actor: Reader,
        patient_id: Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")],
        bodies: Annotated[bool, Query(description="With the words of each message: staff and clinicians only")] = False,
        before: Before = LAST,
        limit: Limit = 50,
    ) -> MessagePage:
        if bodies and actor.role not in READ_WORDS:
            raise Problem(403, "Not for this role", "The words of messages are for staff and clinicians.")
        async with database.connection() as connection:
            found = await store.messages_to(connection, patient_id, before, limit + 1)
            what = "messages_with_words" if bodies else "messages"
            await record_access(connection, actor, subjects=[patient_id], what=what)
        return _page(found, limit, bodies=bodies)

    @router.get("/messages", summary="Messages of all patients")
    async def latest(actor: Reader, fate: Fate | None = None, before: Before = LAST, limit: Limit = 50) -> MessagePage:
        async with database.connection() as connection:
            found = await store.messages(connection, fate, before, limit + 1)
            subjects = [one.patient_id for one in found[:limit]]
            await record_access(connection, actor, subjects=subjects, what="messages")
        return _page(found, limit, bodies=False)

    return router


def _page(found: list[Message], limit: int, *, bodies: bool) -> MessagePage:
    shown = [_shown(one, bodies=bodies) for one in found[:limit]]
    return MessagePage(messages=shown, before=shown[-1].message_id if len(found) > limit else None)


def _shown(one: Message, *, bodies: bool) -> MessageShown:
    return MessageShown(
        message_id=one.id,
        patient_id=one.patient_id,
        purpose=one.purpose,
        template=one.template,
        channel=one.channel,
        fate=one.fate,
        cause=one.cause,
        decided_at=one.decided_at,
        fated_at=one.fated_at,
        said=one.said if bodies else None,
    )
