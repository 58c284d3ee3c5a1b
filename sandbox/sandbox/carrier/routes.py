"""The carrier over HTTP: its API, its controls and its page."""

import base64
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.carrier.deliveries import Deliveries
from sandbox.carrier.messages import API_VERSION, Message, Messages
from sandbox.carrier.numbers import Fate, Numbers, is_number, tables
from sandbox.patience import Patience
from sandbox.settings import Settings

LONGEST_BODY = 1600
ACCOUNT = f"/carrier/{API_VERSION}/Accounts/{{account}}"


class State(StrEnum):
    HEALTHY = "healthy"
    SLOW = "slow"
    """Accepts after `seconds`."""
    BROKEN = "broken"
    """Accepts nothing and answers with HTTP 500."""
    THROTTLED = "throttled"
    """Accepts nothing and answers with HTTP 429."""
    HANGING = "hanging"
    """Accepts nothing and never answers."""
    FORGETFUL = "forgetful"
    """Accepts the message, yet answers with HTTP 500."""


class CarrierConduct(BaseModel):
    state: State = State.HEALTHY
    seconds: float = Field(default=5, ge=0, le=600)


class Reply(BaseModel):
    """A text from a person to the clinic."""

    sender: str = Field(alias="from")
    to: str
    body: str = Field(max_length=LONGEST_BODY)
    url: str = ""
    """Where to post it; the configured inbound URL, if absent."""


class Fated(BaseModel):
    fate: Fate


class Refusal(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class Carrier:
    """One account of a carrier."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self.settings = settings
        self.numbers = Numbers()
        self.messages = Messages(settings.carrier_messages_kept)
        self.deliveries = Deliveries(settings, self.messages, self.numbers, patience)
        self.conduct = CarrierConduct()
        self._patience = patience

    def admit(self, request: Request, account: str) -> None:
        """Raises Refusal unless the request carries the account's own credentials (basic)."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            offered = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise Refusal(20003) from None
        expected = f"{self.settings.carrier_account}:{self.settings.carrier_token}".encode()
        if scheme.lower() != "basic" or not secrets.compare_digest(offered, expected):
            raise Refusal(20003)
        if account != self.settings.carrier_account:
            raise Refusal(20404)

    async def behave(self) -> None:
        """What precedes acceptance, or comes in its place. Raises Refusal."""
        match self.conduct.state:
            case State.SLOW:
                await self._patience.wait(self.conduct.seconds)
            case State.HANGING:
                await self._patience.forever()
                raise Refusal(20500)
            case State.BROKEN:
                raise Refusal(20500)
            case State.THROTTLED:
                raise Refusal(20429)
            case _:
                pass

    def accept(self, to: str, sender: str, body: str, callback: str) -> Message:
        """Queue a message. Raises Refusal."""
        if code := self._fault(to, sender, body, callback):
            raise Refusal(code)
        message = Message(self.settings.carrier_account, to, sender, body, status_callback=callback)
        self.messages.add(message)
        self.deliveries.dispatch(message)
        if self.conduct.state is State.FORGETFUL:
            raise Refusal(20500)
        return message

    def _fault(self, to: str, sender: str, body: str, callback: str) -> int | None:
        if not to:
            return 21604
        if not sender:
            return 21603
        if not body:
            return 21602
        if len(body) > LONGEST_BODY:
            return 21617
        if not (is_number(sender) or sender.isdigit()):
            return 21212
        if callback and urlsplit(callback).scheme not in ("http", "https"):
            return 21609
        return self.numbers.refusal(to)


def routes(carrier: Carrier, page: Callable[..., HTMLResponse]) -> APIRouter:
    router = APIRouter(tags=["carrier"])

    @router.post(f"{ACCOUNT}/Messages.json", status_code=201)
    async def send(request: Request, account: str) -> Response:
        """Accept a message: form fields To, From, Body and, optionally, StatusCallback."""
        try:
            carrier.admit(request, account)
            await carrier.behave()
            form = await request.form()
            to, sender, body, callback = (str(form.get(n, "")) for n in ("To", "From", "Body", "StatusCallback"))
            message = carrier.accept(to, sender, body, callback)
        except Refusal as refusal:
            return _refused(refusal)
        return JSONResponse(message.resource(), 201)

    @router.get(f"{ACCOUNT}/Messages.json")
    async def listed(
        request: Request,
        account: str,
        to: Annotated[str | None, Query(alias="To")] = None,
        sender: Annotated[str | None, Query(alias="From")] = None,
        page_size: Annotated[int, Query(alias="PageSize", ge=1, le=1000)] = 50,
    ) -> Response:
        """The latest messages, newest first."""
        try:
            carrier.admit(request, account)
        except Refusal as refusal:
            return _refused(refusal)
        found = carrier.messages.matching(to, sender, page_size)
        return JSONResponse({"messages": [message.resource() for message in found], "page_size": page_size})

    @router.get(f"{ACCOUNT}/Messages/{{sid}}.json")
    async def fetched(request: Request, account: str, sid: str) -> Response:
        """One message with its present status."""
        try:
            carrier.admit(request, account)
        except Refusal as refusal:
            return _refused(refusal)
        message = carrier.messages.find(sid)
        return JSONResponse(message.resource()) if message else _refused(Refusal(20404))

    _add_window(router, carrier, page)
    _add_controls(router, carrier)
    return router


def _refused(refusal: Refusal) -> JSONResponse:
    """Twilio's error shape."""
    error = tables().errors[refusal.code]
    more = f"https://www.twilio.com/docs/errors/{refusal.code}"
    shape = {"code": refusal.code, "message": error.message, "more_info": more, "status": error.status}
    return JSONResponse(shape, error.status)


def _add_window(router: APIRouter, carrier: Carrier, page: Callable[..., HTMLResponse]) -> None:
    """What a tester sees without being the account's owner."""

    @router.get("/carrier/messages")
    async def seen(to: str | None = None, limit: Annotated[int, Query(ge=1, le=20_000)] = 200) -> dict[str, Any]:
        """How many messages were ever accepted, and the latest, newest first."""
        found = carrier.messages.matching(to, None, limit)
        return {"accepted": carrier.messages.accepted, "messages": [message.resource() for message in found]}

    @router.get("/carrier", response_class=HTMLResponse)
    async def shown(request: Request, to: str | None = None) -> HTMLResponse:
        return page(request, "carrier.html", messages=carrier.messages.matching(to or None, None, 200), to=to or "")


def _add_controls(router: APIRouter, carrier: Carrier) -> None:
    @router.put("/control/carrier")
    async def behave(conduct: CarrierConduct) -> CarrierConduct:
        """Make the carrier slow, broken, throttled, hanging, forgetful or healthy."""
        carrier.conduct = conduct
        return conduct

    @router.put("/control/carrier/numbers/{number}")
    async def fate(number: str, fated: Fated) -> Fated:
        """What becomes of messages to one number: delivered, undelivered or opted_out."""
        if not is_number(number):
            raise HTTPException(422, "A number is written in E.164, such as +13305550123.")
        carrier.numbers.set_fate(number, fated.fate)
        return fated

    @router.post("/control/carrier/replies", status_code=201)
    async def reply(reply: Reply) -> dict[str, Any]:
        """Let a person text the clinic; answers with the HTTP status that the clinic's webhook gave."""
        url = reply.url or carrier.settings.carrier_inbound_url
        message, status = await carrier.deliveries.receive(reply.sender, reply.to, reply.body, url)
        return {"sid": message.sid, "webhook_status": status}

    @router.delete("/control/carrier/messages", status_code=204)
    async def forget() -> None:
        """Forget every message and every number's fate."""
        carrier.messages.clear()
        carrier.numbers.forget()
