"""The real-time envelope of CAQH CORE connectivity: MIME multipart/form-data both ways.

Field names, payload types and error codes are those of CAQH CORE Connectivity Rule vC2.2.0, section 4;
rule versions 2.2.0 and 4.0.0 are taken and given back as they came.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

REQUEST_TYPE = "X12_270_Request_005010X279A1"
ANSWER_TYPE = "X12_271_Response_005010X279A1"
ACKNOWLEDGEMENT_TYPE = "X12_999_Response_005010X231A1"
INTERCHANGE_ACKNOWLEDGEMENT_TYPE = "X12_TA1_Response_00501X231A1"
ERROR_TYPE = "CoreEnvelopeError"

RULE_VERSIONS = ("2.2.0", "4.0.0")

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


async def open_envelope(form: FormData) -> Question:
    """Take the fields out of a form, the payload as a field or as a file. Raises EnvelopeFault."""
    fields = {name: await _text(form.get(name)) for name in (*_REQUIRED, "UserName", "Password")}
    parties = fields["SenderID"], fields["ReceiverID"]
    for name in _REQUIRED:
        if not fields[name]:
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
        user=fields["UserName"],
        password=fields["Password"],
        payload=fields["Payload"],
    )


async def _text(part: UploadFile | str | None) -> str:
    if isinstance(part, UploadFile):
        return (await part.read()).decode("utf-8", "replace")
    return part or ""


def seal(question: Question, payload_type: str, payload: str) -> Response:
    """An answer in its envelope; sender and receiver change places."""
    return _multipart(
        {
            **_head(payload_type, question.payload_id, question.receiver, question.sender, question.rule_version),
            "ErrorCode": "Success",
            "ErrorMessage": "",
            "Payload": payload,
        }
    )


def seal_fault(fault: EnvelopeFault, status: int = 200) -> Response:
    """An envelope without payload that says what was wrong with the one that came."""
    head = _head(ERROR_TYPE, str(uuid4()), fault.receiver, fault.sender, RULE_VERSIONS[0])
    return _multipart({**head, "ErrorCode": fault.code, "ErrorMessage": fault.message}, status)


def _head(payload_type: str, payload_id: str, sender: str, receiver: str, rule_version: str) -> dict[str, str]:
    return {
        "PayloadType": payload_type,
        "ProcessingMode": "RealTime",
        "PayloadID": payload_id,
        "TimeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SenderID": sender,
        "ReceiverID": receiver,
        "CORERuleVersion": rule_version,
    }


def _multipart(fields: dict[str, str], status: int = 200) -> Response:
    boundary = secrets.token_hex(16)
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    body = "".join(parts) + f"--{boundary}--\r\n"
    return Response(body.encode(), status, media_type=f"multipart/form-data; boundary={boundary}")
