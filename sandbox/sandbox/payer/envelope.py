"""The real-time envelope of CAQH CORE connectivity: MIME multipart/form-data both ways.

Field names, payload types and error codes are those of CAQH CORE Connectivity Rule vC2.2.0, section 4;
rule versions 2.2.0 and 4.0.0 are taken and given back as they came.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from starlette.responses import Response

REQUEST_TYPE = "X12_270_Request_005010X279A1"
ANSWER_TYPE = "X12_271_Response_005010X279A1"
ACKNOWLEDGEMENT_TYPE = "X12_999_Response_005010X231A1"
INTERCHANGE_ACKNOWLEDGEMENT_TYPE = "X12_TA1_Response_00501X231A1"
ERROR_TYPE = "CoreEnvelopeError"

RULE_VERSIONS = ("2.2.0", "4.0.0")

_BOUNDARY = re.compile(r"""multipart/form-data\s*;\s*boundary=(?:"([^"]{1,70})"|([^\s";]{1,70}))\s*""", re.IGNORECASE)
_NAME = re.compile(rb'''^content-disposition:\s*form-data;(?:.*;)?\s*name="([^"]*)"''', re.IGNORECASE | re.MULTILINE)

_REQUIRED = (
    "PayloadType",
    "ProcessingMode",
    "PayloadID",
    "TimeStamp",
    "SenderID",
    "ReceiverID",
    "CORERuleVersion",
    "Payload",
)


class EnvelopeFault(Exception):
    """An envelope that cannot be taken: a CORE error code and a sentence for people."""

    def __init__(self, code: str, message: str, sender: str = "", receiver: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.sender = sender
        self.receiver = receiver


@dataclass(frozen=True, slots=True)
class Question:
    payload_id: str
    sender: str
    receiver: str
    rule_version: str
    user: str
    password: str
    payload: str


def open_envelope(content_type: str, body: bytes) -> Question:
    """Take the fields out of a request, the payload as a field or as a file. Raises EnvelopeFault."""
    fields = parts(content_type, body)
    parties = fields.get("SenderID", ""), fields.get("ReceiverID", "")
    for name in _REQUIRED:
        if not fields.get(name):
            raise EnvelopeFault(f"{name}Required", f"The field {name} is missing.", *parties)
    if fields["PayloadType"] != REQUEST_TYPE:
        raise EnvelopeFault("PayloadTypeIllegal", f"PayloadType must be {REQUEST_TYPE}.", *parties)
    if fields["ProcessingMode"] != "RealTime":
        raise EnvelopeFault("ProcessingModeIllegal", "ProcessingMode must be RealTime.", *parties)
    if fields["CORERuleVersion"] not in RULE_VERSIONS:
        raise EnvelopeFault("VersionMismatch", f"CORERuleVersion must be one of {', '.join(RULE_VERSIONS)}.", *parties)
    return Question(
        payload_id=fields["PayloadID"],
        sender=fields["SenderID"],
        receiver=fields["ReceiverID"],
        rule_version=fields["CORERuleVersion"],
        user=fields.get("UserName", ""),
        password=fields.get("Password", ""),
        payload=fields["Payload"],
    )


def parts(content_type: str, body: bytes) -> dict[str, str]:
    """The parts of a multipart/form-data body by name (RFC 7578), split at once. Raises EnvelopeFault.

    The web framework's parser walks through every byte, which would be a third of the work of answering.
    """
    boundary = _BOUNDARY.fullmatch(content_type)
    if boundary is None:
        raise EnvelopeFault("PayloadRequired", "The request is not multipart/form-data.")
    delimiter = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1")
    _, *found = (b"\r\n" + body).split(delimiter)
    if not found or not found[-1].startswith(b"--"):
        raise EnvelopeFault("PayloadRequired", "The multipart/form-data does not end with its boundary.")
    fields: dict[str, str] = {}
    for part in found[:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if name := _NAME.search(head):
            fields[name[1].decode("utf-8", "replace")] = content.decode("utf-8", "replace")
    return fields


def seal(question: Question, payload_type: str, payload: str) -> Response:
    """An answer in its envelope; sender and receiver change places."""
    return _answer(
        {
            **head(payload_type, question.payload_id, question.receiver, question.sender, question.rule_version),
            "ErrorCode": "Success",
            "ErrorMessage": "",
            "Payload": payload,
        }
    )


def seal_fault(fault: EnvelopeFault, status: int = 200) -> Response:
    """An envelope without payload that says what was wrong with the one that came."""
    fields = head(ERROR_TYPE, str(uuid4()), fault.receiver, fault.sender, RULE_VERSIONS[0])
    return _answer({**fields, "ErrorCode": fault.code, "ErrorMessage": fault.message}, status)


def head(payload_type: str, payload_id: str, sender: str, receiver: str, rule_version: str) -> dict[str, str]:
    """The fields of every envelope."""
    return {
        "PayloadType": payload_type,
        "ProcessingMode": "RealTime",
        "PayloadID": payload_id,
        "TimeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SenderID": sender,
        "ReceiverID": receiver,
        "CORERuleVersion": rule_version,
    }


def multipart(fields: dict[str, str]) -> tuple[bytes, str]:
    """Fields as a multipart/form-data body, and its Content-Type."""
    boundary = secrets.token_hex(16)
    written = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    body = "".join(written) + f"--{boundary}--\r\n"
    return body.encode(), f"multipart/form-data; boundary={boundary}"


def _answer(fields: dict[str, str], status: int = 200) -> Response:
    body, content_type = multipart(fields)
    return Response(body, status, media_type=content_type)
