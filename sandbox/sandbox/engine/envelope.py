"""One question to a payer's gateway in the CAQH CORE envelope, and what came back, as an engine of its own would."""

from __future__ import annotations

import httpx

from sandbox.payer.envelope import REQUEST_TYPE, RULE_VERSIONS, EnvelopeFault, head, multipart, parts

_SECONDS = 20.0


class Away(Exception):
    """The payer did not answer: `timed_out`, `unreachable`, `busy` or `failing`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


async def ask(gateway: str, question: str, *, payer_id: str, payload_id: str) -> str:
    """The X12 that the payer answers with. Raises Away."""
    fields = head(REQUEST_TYPE, payload_id, sender="ENGINE", receiver=payer_id, rule_version=RULE_VERSIONS[0])
    body, content_type = multipart(fields | {"Payload": question})
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
            answer = await http.post(gateway, content=body, headers={"Content-Type": content_type})
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
    try:
        payload = parts(answer.headers.get("content-type", ""), answer.content).get("Payload", "").strip("\r\n")
    except EnvelopeFault:
        payload = ""
    if not payload:
        raise Away("failing")
    return payload
