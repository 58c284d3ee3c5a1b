"""The SMTP side: accepts mail for anybody, or misbehaves on request."""

import asyncio
from enum import StrEnum
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import BaseModel, Field

from sandbox.mailbox.letters import Letters
from sandbox.patience import Patience
from sandbox.settings import Settings

LARGEST_LETTER = 10_000_000


class State(StrEnum):
    HEALTHY = "healthy"
    SLOW = "slow"
    """Accepts after `seconds`."""
    HANGING = "hanging"
    """Takes the message and neither accepts nor refuses it."""
    DEFERRING = "deferring"
    """Refuses for now: 451."""
    REFUSING = "refusing"
    """Refuses for good: 550."""
    FORGETFUL = "forgetful"
    """Accepts the message, yet closes the connection instead of saying so."""


class MailboxConduct(BaseModel):
    state: State = State.HEALTHY
    seconds: float = Field(default=5, ge=0, le=600)
    recipient: str | None = None
    """Only towards this address; towards everybody, if absent."""


class Mailbox:
    """A mail server in the running loop; an aiosmtpd handler and what it has accepted."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self.letters = Letters(settings.mailbox_messages_kept, settings.mailbox_bytes_kept)
        self.conduct = MailboxConduct()
        self._settings = settings
        self._patience = patience
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return self._server.sockets[0].getsockname()[1] if self._server else 0

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self._settings.smtp_port)

    async def close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    def _session(self) -> SMTP:
        return SMTP(
            self,
            data_size_limit=LARGEST_LETTER,
            enable_SMTPUTF8=True,
            hostname="mail.example.com",
            ident="ESMTP",
            loop=asyncio.get_running_loop(),
        )

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        match self._towards(address):
            case State.DEFERRING:
                return "451 4.3.2 Try again later"
            case State.REFUSING:
                return "550 5.1.1 No such mailbox here"
            case _:
                envelope.rcpt_tos.append(address)
                return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        states = {self._towards(address) for address in envelope.rcpt_tos}
        if State.SLOW in states:
            await self._patience.wait(self.conduct.seconds)
        if State.HANGING in states:
            await self._patience.forever()
            return "421 4.3.2 Closing"
        content: Any = envelope.content or b""
        letter = self.letters.add(str(envelope.mail_from or ""), list(envelope.rcpt_tos), bytes(content))
        if State.FORGETFUL in states and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return f"250 2.0.0 OK queued as {letter.number}"

    def _towards(self, address: str) -> State:
        only = self.conduct.recipient
        return self.conduct.state if only is None or only.lower() == address.lower() else State.HEALTHY
