"""What the carrier tells us: what became of a text, and what people text back. Signed, so no bearer token."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Header, Query, Request, Response

from chassis.database import Database
from chassis.http import Problem
from chassis.transaction import Transaction
from contracts.notify import Channel, ReplyMeaning, ReplyReceived
from notify.messages import facts, store
from notify.messages.carrier import Carrier
from notify.messages.fates import Fates, Told
from notify.messages.metrics import MessageMetrics
from notify.messages.replies import ReplyWords
from notify.messages.telling import Telling

LARGEST_CALLBACK: Final = 64 * 1024
LONGEST_REPLY: Final = 1600
_NOTHING_TO_SAY: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

MessageGiven = Annotated[str, Query(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
Signature = Annotated[str, Header(alias="X-Twilio-Signature", max_length=200)]


def callbacks(
    database: Database,
    carrier: Carrier,
    fates: Fates,
    telling: Telling,
    words: ReplyWords,
    metrics: MessageMetrics,
) -> APIRouter:
    router = APIRouter(tags=["carrier"])

    async def signed(request: Request, signature: str) -> dict[str, str]:
        """The callback's parameters. Raises Problem unless the carrier signed them."""
        try:
            parameters = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            raise Problem(400, "The callback is not readable", "A form in UTF-8 is wanted.") from None
        query = f"?{request.url.query}" if request.url.query else ""
        if not carrier.signed(request.url.path + query, parameters, signature):
            raise Problem(403, "Not signed by the carrier", "X-Twilio-Signature does not fit URL and parameters.")
        # No database takes a NUL, and nobody means one.
        return {name: value.replace("\0", "") for name, value in parameters.items()}

    @router.post("/carrier/status", status_code=204, max_body_size=LARGEST_CALLBACK)
    async def status(request: Request, message: MessageGiven, signature: Signature = "") -> None:
        """What became of a text. Repeats, and news that came too late, change nothing."""
        parameters = await signed(request, signature)
        told = Told(parameters.get("MessageStatus", ""), parameters.get("ErrorCode", ""))
        async with database.transaction() as tx:
            await fates.heard(tx, message, parameters.get("MessageSid", ""), told)

    @router.post("/carrier/inbound", max_body_size=LARGEST_CALLBACK)
    async def inbound(request: Request, signature: Signature = "") -> Response:
        """A text from a person. A STOP holds from this moment on."""
        parameters = await signed(request, signature)
        if not parameters.get("MessageSid") or not parameters.get("From"):
            raise Problem(422, "The callback is not complete", "MessageSid and From are wanted.")
        meaning = words.meaning(parameters.get("Body", ""))
        async with database.transaction() as tx:
            if await store.note_reply(tx.connection, parameters["MessageSid"], meaning, tx.now):
                await _replied(tx, telling, parameters, meaning)
                metrics.replied(meaning.value)
        return Response(_NOTHING_TO_SAY, media_type="text/xml")

    return router


async def _replied(tx: Transaction, telling: Telling, parameters: dict[str, str], meaning: ReplyMeaning) -> None:
    phone = parameters["From"]
    match meaning:
        case ReplyMeaning.STOP:
            people = await facts.stop_texts(tx.connection, phone, tx.now)
        case ReplyMeaning.START:
            people = await facts.resume_texts(tx.connection, phone)
        case ReplyMeaning.OTHER:
            people = await facts.with_phone(tx.connection, phone)
    said = ReplyReceived(
        channel=Channel.SMS, meaning=meaning, text=parameters.get("Body", "")[:LONGEST_REPLY], received_at=tx.now
    )
    for person in people:
        tx.emit(said, subject=person)
        await telling.tell(tx, person)
