"""Mail as it was accepted, bounded in memory."""

import itertools
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

LONGEST_PART = 200_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One accepted message. `recipients` are the envelope's, each in lower case."""

    number: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    subject: str
    headers: dict[str, str]
    text: str
    html: str
    size: int
    """Octets as they came over the wire."""

    def resource(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "received_at": self.received_at.isoformat(),
            "from": self.sender,
            "to": list(self.recipients),
            "message_id": self.message_id,
            "subject": self.subject,
            "headers": self.headers,
            "text": self.text,
            "html": self.html,
        }


class Letters:
    """The last letters, oldest first. A repeat is a letter of its own, as with any mail server."""

    def __init__(self, kept: int, octets_kept: int) -> None:
        self._letters: deque[Letter] = deque()
        self._kept, self._octets_kept = kept, octets_kept
        self._octets = 0
        self._numbers = itertools.count(1)
        self.accepted = 0

    def add(self, sender: str, recipients: list[str], content: bytes) -> Letter:
        letter = _read(next(self._numbers), sender, recipients, content)
        self.accepted += 1
        self._letters.append(letter)
        self._octets += letter.size
        while len(self._letters) > self._kept or (self._octets > self._octets_kept and len(self._letters) > 1):
            self._octets -= self._letters.popleft().size
        return letter

    def find(self, number: int) -> Letter | None:
        return next((letter for letter in self._letters if letter.number == number), None)

    def matching(self, to: str | None, limit: int) -> list[Letter]:
        """The latest, newest first."""
        wanted = (letter for letter in reversed(self._letters) if not to or to.lower() in letter.recipients)
        return list(itertools.islice(wanted, limit))

    def clear(self) -> None:
        self._letters.clear()
        self._octets = 0
        self.accepted = 0


def _read(number: int, sender: str, recipients: list[str], content: bytes) -> Letter:
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(content)
    return Letter(
        number=number,
        received_at=datetime.now(UTC),
        sender=sender,
        recipients=tuple(recipient.lower() for recipient in recipients),
        message_id=str(message["message-id"] or ""),
        subject=str(message["subject"] or ""),
        headers={name: str(value)[:1000] for name, value in message.items()},
        text=_part(message, "plain"),
        html=_part(message, "html"),
        size=len(content),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())[:LONGEST_PART]
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace")[:LONGEST_PART] if isinstance(payload, bytes) else ""
