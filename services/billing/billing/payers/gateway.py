"""The payer gateway: one question out, one answer or a cause code back. Knows no patient and no database."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

import aiohttp
from aiolimiter import AsyncLimiter

from billing.payers.breaker import Breaker
from billing.payers.directory import Payer
from billing.payers.envelope import BadEnvelope, seal, unseal
from billing.settings import BillingSettings

LARGEST_ANSWER = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking. Exactly one of `payload` and `cause` is there.

    `cause` is `timed_out`, `unreachable`, `busy` (429), `failing` (5xx), `paused` (not asked: the payer has failed too
    often just now), `refused` (other 4xx), `envelope_<code>`, `too_large` or `no_envelope`.
    """

    payload: bytes | None = None
    cause: str | None = None

    @classmethod
    def failed(cls, cause: str) -> Reply:
        return cls(cause=cause)


PASSING = frozenset({"timed_out", "unreachable", "busy", "failing", "paused"})
"""Causes that say nothing about the question: it may be asked again as it is."""

_COUNTS_AGAINST_PAYER = PASSING - {"busy", "paused"}


class Transport(Protocol):
    """A way to a payer."""

    async def ask(self, payer: Payer, payload_id: str, question: bytes) -> Reply:
        """Send one 270 and wait for what comes back. Never raises for what the far side does."""
        ...


class Listening(Protocol):
    """Whoever wants to know how payers do."""

    def heard(self, payer_id: str, *, failed: bool, busy: bool, seconds: float, rest_seconds: float | None) -> None:
        """A payer was asked and answered, or failed to, after so many seconds; it is now left alone for a while."""
        ...


class Gateway:
    """The clearinghouse's door for real-time questions, with each payer's limits kept apart."""

    def __init__(self, settings: BillingSettings, listening: Listening | None = None) -> None:
        self._settings = settings
        self._listening = listening
        self._limits: dict[str, AsyncLimiter] = {}
        self._breakers: dict[str, Breaker] = {}
        self._tls = ssl.create_default_context(cafile=settings.gateway_ca_file)
        self._session: aiohttp.ClientSession | None = None

    def seconds(self, payer: Payer) -> float:
        """How long an answer of this payer is waited for."""
        return payer.seconds or self._settings.ask_timeout_seconds

    def breaker(self, payer: Payer) -> Breaker:
        return self._breakers.setdefault(payer.id, Breaker())

    async def ask(self, payer: Payer, payload_id: str, question: bytes) -> Reply:
        breaker = self.breaker(payer)
        if not breaker.lets_through():
            return Reply.failed("paused")
        began = monotonic()
        try:
            await self._limit(payer).acquire()
            began = monotonic()
            async with asyncio.timeout(self.seconds(payer)):
                reply = await self._exchange(payer, payload_id, question)
        except TimeoutError:
            reply = Reply.failed("timed_out")
        except (aiohttp.ClientError, OSError):
            reply = Reply.failed("unreachable")
        except asyncio.CancelledError:
            breaker.forget_trial()
            raise
        failed = reply.cause in _COUNTS_AGAINST_PAYER
        breaker.record(failed=failed)
        if self._listening:
            self._listening.heard(
                payer.id,
                failed=failed,
                busy=reply.cause == "busy",
                seconds=monotonic() - began,
                rest_seconds=breaker.rest_seconds,
            )
        return reply

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        """Made with the first question, since it belongs to the loop that runs."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=0),  # each payer has its own limit
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(),  # the whole of an exchange has one limit, in `ask`
            )
        return self._session

    def _limit(self, payer: Payer) -> AsyncLimiter:
        limit = self._limits.get(payer.id)
        if limit is None:
            limit = self._limits[payer.id] = AsyncLimiter(max(payer.per_second, 1.0), max(1.0, 1 / payer.per_second))
        return limit

    async def _exchange(self, payer: Payer, payload_id: str, question: bytes) -> Reply:
        settings = self._settings
        credentials = (
            {"UserName": settings.gateway_username, "Password": settings.gateway_password.get_secret_value()}
            if settings.gateway_username and settings.gateway_password
            else {}
        )
        body, content_type = seal(
            question,
            payload_id=payload_id,
            sender=settings.gateway_sender,
            receiver=payer.id,
            at=datetime.now(UTC),
            credentials=credentials,
        )
        headers = {"Content-Type": content_type}
        request = self._client().post(settings.gateway_url, data=body, headers=headers, allow_redirects=False)
        async with request as response:
            if (cause := _refusal(response.status)) is not None:
                return Reply.failed(cause)
            received = bytearray()
            async for chunk in response.content.iter_any():
                received += chunk
                if len(received) > LARGEST_ANSWER:
                    return Reply.failed("too_large")
        return _opened(bytes(received), response.headers.get("Content-Type", ""))


def _refusal(status: int) -> str | None:
    if status == 429:
        return "busy"
    if status >= 500:
        return "failing"
    return None if status == 200 else "refused"


def _opened(body: bytes, content_type: str) -> Reply:
    try:
        opened = unseal(body, content_type)
    except BadEnvelope:
        return Reply.failed("no_envelope")
    return Reply.failed(f"envelope_{opened.error}"[:60]) if opened.error else Reply(opened.payload)
