"""The CloudEvents 1.0 envelope, carried as Kafka headers (binary content mode)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uuid_utils import UUID

from contracts.ids import EventId

Headers = list[tuple[str, bytes]]

REQUIRED = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_sequence")


class BadEnvelope(ValueError):
    """Headers that are not an envelope. Names the header at fault, never its content."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who said what about whom, and because of what.

    `subject` is the patient id, or another typed id where no patient is concerned; it is the record key too.
    `sequence` counts from 1 without gaps for each subject within one stream. `time` is clinic time.
    """

    id: EventId
    type: str
    source: str
    time: datetime
    subject: str
    sequence: int
    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None

    @property
    def key(self) -> bytes:
        return self.subject.encode()

    def to_headers(self) -> Headers:
        """Headers in the order in which readers need them."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_type", self.type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_sequence", str(self.sequence).encode()),
            ("ce_correlationid", self.correlation_id.encode()),
            ("content-type", b"application/json"),
        ]
        if self.causation_id is not None:
            headers.append(("ce_causationid", self.causation_id.encode()))
        if self.traceparent is not None:
            headers.append(("traceparent", self.traceparent.encode()))
        return headers

    @classmethod
    def from_headers(cls, headers: Sequence[tuple[str, bytes]]) -> Envelope:
        """Raises BadEnvelope naming the header that is missing or wrong."""
        found = _decoded(headers)
        for name in REQUIRED:
            if not found.get(name):
                raise BadEnvelope(f"header {name} is missing")
        return cls(
            id=_event_id(found["ce_id"]),
            type=found["ce_type"],
            source=found["ce_source"],
            time=_instant(found["ce_time"]),
            subject=found["ce_subject"],
            sequence=_sequence(found["ce_sequence"]),
            correlation_id=found.get("ce_correlationid") or found["ce_id"],
            causation_id=found.get("ce_causationid"),
            traceparent=found.get("traceparent"),
        )


def _decoded(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    try:
        return {name: value.decode() for name, value in headers}
    except UnicodeDecodeError:
        return {name: text for name, value in headers if (text := _text(name, value)) is not None}


def _text(name: str, value: bytes) -> str | None:
    """None for what is no header of ours and no text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        if name.startswith("ce_"):
            raise BadEnvelope(f"header {name} is not UTF-8") from None
        return None


def _event_id(text: str) -> EventId:
    try:
        return EventId(str(UUID(text)))
    except ValueError:
        raise BadEnvelope("header ce_id is not a UUID") from None


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadEnvelope("header ce_time is not an ISO 8601 instant") from None
    if instant.tzinfo is None:
        raise BadEnvelope("header ce_time has no time zone")
    return instant


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise BadEnvelope("header ce_sequence is not a positive whole number")
    return int(text)
