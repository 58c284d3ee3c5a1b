"""Telling whoever asked that the answer is there: a signed webhook with ids only (the Standard Webhooks' headers)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from billing.eligibility import store
from billing.verification.shown import one_verification
from chassis.database import Database
from chassis.outside import OutsideRefused, OutsideTask, OutsideUnavailable
from chassis.transaction import Transaction

_HTTPS, _HTTP = 443, 80


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes: the address that its name had when it was checked, and the name to ask for there."""

    address: str
    host: str
    port: int
    secure: bool
    path: str


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over `id.timestamp.body`, in Base64 with the version in front."""
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


async def checked(url: str, *, loopback: bool) -> Target:
    """Resolve a webhook's address. Raises OutsideRefused for one that is not public, OutsideUnavailable for none.

    The address that was checked is the one that is called: a name cannot point elsewhere in between. `loopback`
    admits this machine, also without TLS, for trying things out.
    """
    parts = urlsplit(url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (_HTTPS if secure else _HTTP)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutsideUnavailable("webhook_not_resolved") from None
    address = ipaddress.ip_address(found[0][4][0])
    own = loopback and address.is_loopback
    if not own and not address.is_global:
        raise OutsideRefused("webhook_address_not_public")
    if not own and not secure:
        raise OutsideRefused("webhook_without_tls")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(str(address), host, port, secure, path)


class Telling:
    """The outside of programs that asked: one call for each question that has ended."""

    def __init__(self, database: Database, *, loopback: bool, seconds: float = 10.0) -> None:
        self._database = database
        self._loopback = loopback
        self._client = httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False)

    async def call(self, task: OutsideTask) -> None:
        """Raises OutsideRefused for what cannot be told, OutsideUnavailable for what may be later."""
        async with self._database.connection() as connection:
            inquiry = await store.kept(connection, self._database.seal, task.purpose)
            found = await one_verification(connection, task.purpose)
        if inquiry is None or found is None or not inquiry.webhook_url or not inquiry.webhook_secret:
            return
        body = json.dumps(
            {
                "type": "eligibility.answered",
                "id": task.purpose,
                "outcome": found.outcome,
                "cause_code": found.cause_code,
                "link": f"/eligibility/{task.purpose}",
            }
        ).encode()
        target = await checked(inquiry.webhook_url, loopback=self._loopback)
        await self._post(target, inquiry.webhook_secret, str(task.id), body)

    async def answered(self, tx: Transaction, task: OutsideTask, answer: None) -> None:
        """That it was told is on record with the task."""

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause_code: str) -> None:
        """Whoever asked can still look; why they were not told is on record with the task."""

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, target: Target, secret: str, id: str, body: bytes) -> None:
        now = int(time.time())
        host = f"[{target.address}]" if ":" in target.address else target.address
        try:
            answer = await self._client.post(
                f"{'https' if target.secure else 'http'}://{host}:{target.port}{target.path}",
                content=body,
                headers={
                    "Host": target.host,
                    "Content-Type": "application/json",
                    "webhook-id": id,
                    "webhook-timestamp": str(now),
                    "webhook-signature": signature(secret, id, now, body),
                },
                extensions={"sni_hostname": target.host},
            )
        except httpx.HTTPError:
            raise OutsideUnavailable("webhook_unreachable") from None
        if answer.status_code in (410, 404, 401, 403):
            raise OutsideRefused(f"webhook_{answer.status_code}")
        if not answer.is_success:
            raise OutsideUnavailable(f"webhook_{answer.status_code}")
