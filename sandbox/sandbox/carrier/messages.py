"""Messages as the carrier keeps and shows them."""

import itertools
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

API_VERSION = "2010-04-01"
SEGMENT, SEGMENT_OF_MANY = 160, 153
UCS2_SEGMENT, UCS2_SEGMENT_OF_MANY = 70, 67

Status = Literal["queued", "sent", "delivered", "undelivered", "received"]
Direction = Literal["outbound-api", "outbound-reply", "inbound"]


@dataclass(slots=True)
class Message:
    account: str
    to: str
    sender: str
    body: str
    direction: Direction = "outbound-api"
    status: Status = "queued"
    status_callback: str = ""
    error_code: int | None = None
    sid: str = field(default_factory=lambda: f"SM{secrets.token_hex(16)}")
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def segments(self) -> int:
        """How many texts the body takes: 160 characters, or 70 once one is outside the basic set."""
        length = len(self.body)
        whole, part = (SEGMENT, SEGMENT_OF_MANY) if self.body.isascii() else (UCS2_SEGMENT, UCS2_SEGMENT_OF_MANY)
        return 1 if length <= whole else -(-length // part)

    def become(self, status: Status, error_code: int | None = None) -> None:
        self.status, self.error_code, self.updated = status, error_code, datetime.now(UTC)

    def resource(self) -> dict[str, Any]:
        """The message as the API gives it."""
        uri = f"/{API_VERSION}/Accounts/{self.account}/Messages/{self.sid}"
        return {
            "account_sid": self.account,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": format_datetime(self.created),
            "date_sent": None if self.status == "queued" else format_datetime(self.updated),
            "date_updated": format_datetime(self.updated),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": str(self.segments),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


class Messages:
    """The last messages, in the order in which they came. A repeat is a message of its own."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._by_sid: OrderedDict[str, Message] = OrderedDict()
        self.accepted = 0

    def add(self, message: Message) -> None:
        self.accepted += 1
        self._by_sid[message.sid] = message
        while len(self._by_sid) > self._kept:
            self._by_sid.popitem(last=False)

    def find(self, sid: str) -> Message | None:
        return self._by_sid.get(sid)

    def matching(self, to: str | None, sender: str | None, limit: int) -> list[Message]:
        """The latest, newest first."""
        wanted = (
            message
            for message in reversed(self._by_sid.values())
            if to in (None, message.to) and sender in (None, message.sender)
        )
        return list(itertools.islice(wanted, limit))

    def clear(self) -> None:
        self._by_sid.clear()
        self.accepted = 0
