"""The real-time envelope of CAQH CORE connectivity as MIME multipart/form-data. Pure.

Field names and values: CAQH CORE Connectivity Rule vC4.0.0, section 4.2; payload types: its companion document.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.message import Message
from email.parser import BytesHeaderParser

ASKS = "X12_270_Request_005010X279A1"
RULE_VERSION = "4.0.0"
SUCCESS = "Success"


class BadEnvelope(ValueError):
    """An answer that is no envelope, or one without a payload."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer out of its envelope. `error` is the CORE error code, None on success."""

    payload: bytes
    payload_id: str | None
    error: str | None


def seal(
    payload: bytes, *, payload_id: str, sender: str, receiver: str, at: datetime, credentials: Mapping[str, str]
) -> tuple[bytes, str]:
    """The body of a question and its Content-Type. `credentials`: UserName and Password, where they are asked for."""
    fields = {
        "PayloadType": ASKS,
        "ProcessingMode": "RealTime",
        "PayloadID": payload_id,
        "TimeStamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **credentials,
        "SenderID": sender,
        "ReceiverID": receiver,
        "CORERuleVersion": RULE_VERSION,
    }
    boundary = secrets.token_hex(16).encode()
    parts = [_part(boundary, name, value.encode()) for name, value in fields.items()]
    body = b"".join([*parts, _part(boundary, "Payload", payload), b"--", boundary, b"--\r\n"])
    return body, f"multipart/form-data; boundary={boundary.decode()}"


def _part(boundary: bytes, name: str, value: bytes) -> bytes:
    return b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (boundary, name.encode(), value)


def unseal(body: bytes, content_type: str) -> Opened:
    """Take an answer apart. Raises BadEnvelope where that cannot be done.

    The envelope is flat, so its parts are split and never parsed as messages within messages: what a far side can
    nest, it could nest as deep as it likes.
    """
    fields = {name: value for name, value in map(_field, _parts(body, _boundary(content_type))) if name}
    error = fields.get("ErrorCode", b"").decode("ascii", "replace").strip()
    payload = fields.get("Payload", b"")
    failed = error if error and error != SUCCESS else None
    if not payload.strip() and failed is None:
        raise BadEnvelope("no payload")
    id = fields.get("PayloadID", b"").decode("ascii", "replace").strip()
    return Opened(payload, id or None, failed)


def _boundary(content_type: str) -> bytes:
    header = Message()
    try:
        header["Content-Type"] = content_type
        if header.get_content_maintype() != "multipart":
            raise BadEnvelope("no multipart")
        boundary = header.get_boundary()
        if not boundary:
            raise BadEnvelope("no boundary")
        return boundary.encode("ascii")
    except (MessageError, ValueError) as fault:
        raise fault if isinstance(fault, BadEnvelope) else BadEnvelope("no content type") from None


_DASHED = re.compile(rb"\n--([^\n]*)")


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the boundaries, each a line of its own (RFC 2046, 5.1.1), up to the one that closes."""
    lines = b"\n" + body
    parts: list[bytes] = []
    begun: int | None = None
    for dashed in _DASHED.finditer(lines):
        line = dashed[1]
        rest = line[len(boundary) :].rstrip(b" \t\r")
        if not line.startswith(boundary) or not (rest == b"" or rest.startswith(b"--")):
            continue
        if begun is not None:
            parts.append(lines[begun : dashed.start()].removesuffix(b"\r"))
        begun = dashed.end() if rest == b"" else None
    return parts if begun is None else [*parts, lines[begun:]]


_PLAIN_HEAD = re.compile(rb'\s*Content-Disposition: form-data; name="([A-Za-z]+)"\s*')
"""The head that nearly every part has. Any other is for a parser that knows all of MIME, and is ten times slower."""


def _field(part: bytes) -> tuple[str | None, bytes]:
    """A part's name, and its value out of its transfer encoding."""
    head, *rest = re.split(rb"\r?\n\r?\n", part, maxsplit=1)
    if plain := _PLAIN_HEAD.fullmatch(head):
        return plain[1].decode(), rest[0] if rest else b""
    headers = BytesHeaderParser().parsebytes(head.strip())
    name = headers.get_param("name", header="content-disposition")
    headers.set_payload(rest[0].decode("ascii", "surrogateescape") if rest else "")
    value = headers.get_payload(decode=True)
    return (name if isinstance(name, str) else None), value if isinstance(value, bytes) else b""
