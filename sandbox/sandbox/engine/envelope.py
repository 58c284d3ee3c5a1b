"""One question to a payer's gateway in the CAQH CORE envelope, and what came back, as an engine of its own would."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import HTTP
from secrets import token_hex

import httpx

_SECONDS = 20.0


class Away(Exception):
    """The payer did not answer: `timed_out`, `unreachable`, `busy` or `failing`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


async def ask(gateway: str, question: str, *, payer_id: str, payload_id: str) -> str:
    """The X12 that the payer answers with. Raises Away."""
    fields = {
        "PayloadType": "X12_270_Request_005010X279A1",
        "ProcessingMode": "RealTime",
        "PayloadID": payload_id,
        "TimeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SenderID": "ENGINE",
        "ReceiverID": payer_id,
        "CORERuleVersion": "2.2.0",
        "Payload": question,
    }
    boundary = token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join(parts) + f"--{boundary}--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
            answer = await http.post(gateway, content=body.encode(), headers=headers)
    except httpx.TimeoutException:
        raise Away("timed_out") from None
    except httpx.HTTPError:
        raise Away("unreachable") from None
    if answer.status_code == 429:
        raise Away("busy")
    if answer.status_code != 200:
        raise Away("failing")
    return _payload(answer)


def _payload(answer: httpx.Response) -> str:
    head = f"Content-Type: {answer.headers.get('content-type', '')}\r\n\r\n".encode()
    for part in message_from_bytes(head + answer.content, policy=HTTP).walk():
        if part.get_param("name", header="content-disposition") == "Payload":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes) and payload:
                return payload.decode("utf-8", "replace").strip("\r\n")
    raise Away("failing")
