"""The outside world on ports of its own, and questions put to its payers as a clinic does it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import Message
from email.parser import BytesParser
from typing import Any

import httpx

from billing.x12 import Envelope, read, write_270
from billing.x12.records import Coverage, File, Inquiry, Party, Period, Question, Trace
from sandbox.payer.catalogue import Dependent, Member, Payer, catalogue
from sandbox.settings import Settings
from sandbox.world import World

REQUEST_TYPE = "X12_270_Request_005010X279A1"
NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer out of its envelope."""

    status: int
    fields: dict[str, str]

    @property
    def payload(self) -> bytes:
        return self.fields["Payload"].encode()

    @property
    def file(self) -> File:
        return read(self.payload)

    @property
    def coverage(self) -> Coverage:
        """Of an answer with one interchange about one patient."""
        [interchange] = self.file.interchanges
        [transaction] = interchange.transactions
        [coverage] = transaction.coverages
        assert not self.file.problems + interchange.problems + transaction.problems
        return coverage


@dataclass
class Outside:
    world: World
    http: httpx.AsyncClient
    asked: int = 0

    async def ask(self, member: Member, *, trace: str = "TRACE-1", seconds: float = 10, **changes: Any) -> Answered:
        """Put one question about a member; `changes` as `question` takes them."""
        self.asked += 1
        return await self.send(question(member, trace=trace, number=self.asked, **changes), seconds=seconds)

    async def send(self, payload: bytes, *, seconds: float = 10, **fields: Any) -> Answered:
        """Send a payload in the CAQH CORE envelope, as multipart/form-data. Raises httpx.HTTPError."""
        form = {**envelope("anybody"), **fields}
        parts: dict[str, Any] = {name: (None, value) for name, value in form.items() if value}
        parts["Payload"] = (None, payload)
        answer = await self.http.post("/payer/real-time", files=parts, timeout=seconds)
        return Answered(answer.status_code, opened(answer))

    async def behave(self, payer: str, **conduct: Any) -> None:
        (await self.http.put(f"/control/payers/{payer}", json=conduct)).raise_for_status()

    async def answer_for(self, mode: str, **how: Any) -> None:
        (await self.http.put("/control/payer/mode", json={"mode": mode, **how})).raise_for_status()

    async def questions(self, **query: Any) -> dict[str, Any]:
        """The gateway's record, newest first."""
        return (await self.http.get("/control/payer/questions", params=query)).raise_for_status().json()


@asynccontextmanager
async def outside(**knobs: Any) -> AsyncGenerator[Outside]:
    settings = Settings(port=0, smtp_port=0, **knobs)
    async with World(settings).running() as world, httpx.AsyncClient(base_url=world.http_url) as http:
        yield Outside(world, http)


def named(scenario: str) -> Member:
    """The named member of a scenario."""
    return next(member for member in catalogue().members if member.scenario == scenario)


def stranger(number: int = 1) -> Member:
    """Somebody whom no payer knows."""
    return Member(payer="aetna", member_id=f"W{900_000_000 + number}", first="Ada", last="Byron", born=date(1980, 5, 4))


def question(
    member: Member,
    *,
    trace: str = "TRACE-1",
    number: int = 1,
    dependent: Dependent | None = None,
    service_types: Sequence[str] = ("30", "MH"),
    service_date: date | None = None,
    payer: Payer | None = None,
    at: datetime = NOW,
    **subscriber: Any,
) -> bytes:
    """A 270 about a member as the payer has them on record, but for what `subscriber` changes of them."""
    payer = payer or catalogue().payers[member.payer]
    asked = member.model_copy(update=subscriber)
    person = Party(
        role="IL", entity_type="1", last=asked.last, first=asked.first, id_qualifier="MI", id=asked.member_id
    )
    patient = person
    if dependent is not None:
        patient = Party(role="03", entity_type="1", last=dependent.last, first=dependent.first)
    patient.birth_date = dependent.born if dependent else asked.born
    if service_date is not None:
        patient.dates = [Period("291", service_date)]
    inquiry = Inquiry(
        payer=Party(role="PR", entity_type="2", last=payer.name, id_qualifier="PI", id=payer.id),
        provider=Party(role="1P", entity_type="2", last="STILLWATER CLINIC", id_qualifier="XX", id="1234567893"),
        subscriber=person,
        dependent=patient if dependent else None,
        traces=[Trace("1", trace, "9STILLWATE")],
        questions=[Question(service_types=list(service_types))],
    )
    return write_270(
        inquiry,
        envelope=Envelope(
            sender="STILLWATER", receiver=payer.id, at=at, reference=f"ASK-{number}", interchange_number=number
        ),
    )


def envelope(receiver: str) -> dict[str, str]:
    """The envelope's fields but for the payload (CAQH CORE Connectivity Rule vC4.0.0)."""
    return {
        "PayloadType": REQUEST_TYPE,
        "ProcessingMode": "RealTime",
        "PayloadID": secrets.token_hex(8),
        "TimeStamp": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SenderID": "STILLWATER",
        "ReceiverID": receiver,
        "CORERuleVersion": "4.0.0",
    }


def opened(answer: httpx.Response) -> dict[str, str]:
    """The fields of a multipart answer; none if it is something else."""
    content_type = answer.headers.get("content-type", "").encode()
    message = BytesParser().parsebytes(b"Content-Type: " + content_type + b"\r\n\r\n" + answer.content)
    return {} if not message.is_multipart() else dict(_field(part) for part in message.get_payload())  # type: ignore


def _field(part: Message) -> tuple[str, str]:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return str(part.get_param("name", header="content-disposition")), content.decode()
