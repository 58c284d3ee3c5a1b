"""Whatever stands at the far side of the wire, a question ends in a reply: a payload, or a cause in one word."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from billing.payers.directory import Payer
from billing.payers.envelope import seal
from billing.payers.gateway import LARGEST_ANSWER, Gateway, Reply
from billing.settings import BillingSettings

AETNA = Payer(id="aetna", name="Aetna", seconds=1.0)


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def answer(payload: bytes, squeeze: bool = False) -> bytes:
    body, content_type = seal(
        payload, payload_id="1", sender="AETNA", receiver="US", at=datetime(2027, 3, 2, tzinfo=UTC), credentials={}
    )
    headers = [f"Content-Type: {content_type}", *(["Content-Encoding: gzip"] if squeeze else [])]
    return http(gzip.compress(body) if squeeze else body, "200 OK", *headers)


@asynccontextmanager
async def far_side(says: bytes, hangs_up: bool = True) -> AsyncIterator[Gateway]:
    """Something that accepts connections, says this once it was asked, and then hangs up or hangs."""
    asked = asyncio.Event()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        writer.write(says)
        if not hangs_up:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = BillingSettings.model_construct(
        gateway_url=f"http://127.0.0.1:{port}/",
        gateway_username=None,
        gateway_password=None,
        gateway_sender="US",
        gateway_ca_file=None,
        ask_timeout_seconds=1.0,
    )
    gateway = Gateway(settings)
    try:
        yield gateway
    finally:
        await gateway.close()
        server.close()


async def asked(says: bytes, hangs_up: bool = True) -> Reply:
    async with far_side(says, hangs_up) as gateway:
        return await gateway.ask(AETNA, "1", b"ISA*00*~")


@pytest.mark.parametrize("squeeze", [False, True])
async def test_an_answer_comes_out_of_its_envelope(squeeze: bool) -> None:
    assert await asked(answer(b"ISA*00*~", squeeze)) == Reply(payload=b"ISA*00*~")


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        (b"", "unreachable"),
        (b"\x16\x03\x01 this is no HTTP\r\n\r\n", "unreachable"),
        (answer(b"ISA*00*~")[:-20], "unreachable"),
        (http(b"no gzip at all", "200 OK", "Content-Encoding: gzip"), "unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "unreachable"),
        (http(b"later", "429 Too Many Requests"), "busy"),
        (http(b"broken", "503 Service Unavailable"), "failing"),
        (http(b"who are you", "401 Unauthorized"), "refused"),
        (http(b"", "302 Found", "Location: http://127.0.0.1:9/"), "refused"),
        (http(b"<html>", "200 OK", "Content-Type: text/html"), "no_envelope"),
        (http(b"", "200 OK", "Content-Type: \xff"), "no_envelope"),
    ],
)
async def test_whatever_comes_instead_has_a_cause(says: bytes, cause: str) -> None:
    assert await asked(says) == Reply.failed(cause)


async def test_an_answer_that_swells_is_not_read_to_its_end() -> None:
    assert await asked(answer(b" " * (LARGEST_ANSWER + 1), squeeze=True)) == Reply.failed("too_large")


async def test_silence_ends_with_the_payers_time() -> None:
    assert await asked(b"HTTP/1.1 200 OK\r\n", hangs_up=False) == Reply.failed("timed_out")


@pytest.mark.engines
@pytest.mark.parametrize(
    "url", ["http://payers.example/real-time", "ftp://127.0.0.1/", "//127.0.0.1", "", "http://10.0.0.7/"]
)
def test_questions_leave_this_machine_encrypted_or_not_at_all(settings: Callable[..., Any], url: str) -> None:
    with pytest.raises(ValidationError, match="https"):
        settings(BillingSettings, gateway_url=url)
    assert settings(BillingSettings, gateway_url="https://payers.example/real-time").gateway_url
