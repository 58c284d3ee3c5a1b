"""What is found: said on the streams, kept by the services, seen outside. Ids and counts, nothing about a person."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from chassis.tokens import Role
from contracts.envelope import BadEnvelope, Envelope
from contracts.registry import EVENT_TYPES, TOPICS
from deploy.local.doors import token
from tests.faults.ground import Ground
from tests.faults.load import Promise
from tests.faults.plan import SPEAKING, WITNESS

POISON = "patient_poison"
"""How the subjects of poison begin."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One record of a stream, as often as it came."""

    topic: str
    partition: int
    offset: int
    id: str
    type: str
    subject: str
    sequence: int
    decision: str
    """What was decided by it, for which there may be one event only."""
    digest: str
    """Of everything that it says, so that two copies can be compared."""
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """One application of an event by the witness, in the order of the list."""

    topic: str
    subject: str
    sequence: int
    id: str


@dataclass(frozen=True, slots=True)
class Message:
    """A decision of notify."""

    patient_id: str
    purpose: str
    channel: str
    fate: str
    reference: str | None


@dataclass(slots=True)
class Evidence:
    """Everything that the checker judges."""

    promises: list[Promise] = field(default_factory=list[Promise])
    heard: list[Heard] = field(default_factory=list[Heard])
    heads: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """The last sequence that a service has committed, by stream and subject."""
    told: list[Told] = field(default_factory=list[Told])
    hears: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """The types that each consumer handles."""
    applied: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Event ids in the inbox of each consumer."""
    intakes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Patient and reference."""
    visits: list[str] = field(default_factory=list[str])
    """The patient of each standing assessment, and of each that waits for a time."""
    messages: list[Message] = field(default_factory=list[Message])
    letters: list[str] = field(default_factory=list[str])
    """The Message-ID of each that the mail server took."""
    texts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The carrier's id of each that it took, and a digest of number and words."""
    questions: list[str] = field(default_factory=list[str])
    """The trace of each that the gateway was asked."""
    decided_questions: frozenset[str] = frozenset()
    waiting: dict[str, int] = field(default_factory=dict[str, int])
    """Rows that should be gone: `billing outbox`, `notify task`, …"""
    parked: list[tuple[str, str, int, int, str]] = field(default_factory=list[tuple[str, str, int, int, str]])
    """Consumer, topic, partition, offset, cause."""
    poison: frozenset[tuple[str, int, int]] = frozenset()
    """Topic, partition and offset of what was sent as poison."""


class Hearing:
    """Every record of every stream, in its partition's order, copies and all."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                async for record in consumer:
                    self._hear(record)
            except KafkaError:
                await asyncio.sleep(0.2)

    def _hear(self, record: Any) -> None:
        try:
            envelope = Envelope.from_headers(record.headers)
        except BadEnvelope:
            return
        if envelope.subject.startswith(POISON) or envelope.type not in EVENT_TYPES:
            return
        body = record.value or b""
        said = repr((sorted(record.headers), body)).encode()
        self.heard.append(
            Heard(
                record.topic,
                record.partition,
                record.offset,
                envelope.id,
                envelope.type,
                envelope.subject,
                envelope.sequence,
                decision_of(envelope, json.loads(body)),
                hashlib.sha256(said).hexdigest()[:16],
                time.time(),
            )
        )


_PURPOSES: dict[str, tuple[str, ...]] = {
    "intake.submitted.v1": ("intake_id",),
    "intake.coverage_reported.v1": ("coverage_id",),
    "scheduling.appointment_rescheduled.v1": ("appointment_id", "version"),
    "billing.verification_requested.v1": ("coverage_id", "service_date"),
    "billing.coverage_verified.v1": ("verification_id",),
    "billing.verification_needs_staff.v1": ("verification_id", "cause_code"),
    "billing.coverage_undetermined.v1": ("verification_id", "cause_code", "asking_again_at"),
    "billing.coverage_changed.v1": ("verification_id",),
    "notify.message_sent.v1": ("purpose", "channel"),
    "notify.message_delivered.v1": ("message_id",),
    "notify.message_failed.v1": ("message_id",),
    "notify.reply_received.v1": ("received_at",),
}
"""By which fields two events of a type and a patient are two decisions. Without any: there is one for a patient."""

_SAME = {"billing.coverage_inactive.v1": "billing.coverage_verified.v1"}
"""One conclusion or the other, never both."""


def decision_of(envelope: Envelope, body: dict[str, Any]) -> str:
    """What an event decides: type, subject, and what tells it from another decision of the type."""
    type = _SAME.get(envelope.type, envelope.type)
    return ":".join([type, envelope.subject, *(str(body.get(name)) for name in _PURPOSES.get(type, ()))])


@asynccontextmanager
async def hearing(ground: Ground) -> AsyncGenerator[Hearing]:
    """Past every link, from the beginning of each stream."""
    heard = Hearing()
    consumer = AIOKafkaConsumer(
        *TOPICS, bootstrap_servers=ground.engines.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
    )
    await consumer.start()
    listening = asyncio.create_task(heard.listen(consumer))
    try:
        yield heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await consumer.stop()


async def gather(
    ground: Ground,
    promises: Iterable[Promise],
    heard: Hearing,
    outside: Outside,
    poison: Iterable[tuple[str, int, int]],
    hears: dict[str, frozenset[str]],
) -> Evidence:
    """Everything as it is now."""
    found = Evidence(promises=list(promises), poison=frozenset(poison), hears=hears)
    async with ground.admin() as admin:
        for who in ground.processes:
            await _core(found, admin, who, ground.schema(who))
        for who in ground.processes:
            await _CLINIC.get(who, _nothing)(found, admin, ground.schema(who))
    await outside.look()
    found.letters, found.texts, found.questions = outside.letters, outside.texts, outside.questions
    found.heard = list(heard.heard)
    return found


async def busy(ground: Ground) -> bool:
    """Whether anything is still waiting to be published, or to be done outside."""
    waiting = " + ".join(
        f'(SELECT count(*) FROM "{schema}".outbox) + '
        f'(SELECT count(*) FROM "{schema}".outside_task WHERE ended_at IS NULL)'
        for schema in map(ground.schema, ground.processes)
    )
    async with ground.admin() as admin:
        return bool(await admin.fetchval(f"SELECT {waiting}"))


async def _core(found: Evidence, admin: asyncpg.Connection, who: str, schema: str) -> None:
    async def rows(sql: str) -> list[asyncpg.Record]:
        return await admin.fetch(sql.replace("@", f'"{schema}".'))

    if who in SPEAKING:
        heads = await rows("SELECT subject, sequence FROM @stream_head")
        found.heads |= {(f"{who}.events", row["subject"]): row["sequence"] for row in heads}
    found.applied[who] = frozenset(
        str(row["event_id"]) for row in await rows(f"SELECT event_id FROM @inbox WHERE consumer = '{who}'")
    )
    parked = await rows("SELECT consumer, topic, partition, record_offset, cause FROM @parked")
    found.parked += [(row[0], row[1], row[2], row[3], row[4]) for row in parked]
    (waiting,) = await rows(
        "SELECT (SELECT count(*) FROM @outbox) AS outbox, "
        "(SELECT count(*) FROM @outside_task WHERE ended_at IS NULL) AS task, "
        "(SELECT count(*) FROM @outside_task WHERE outcome = 'unapplied') AS unapplied, "
        "(SELECT count(*) FROM @timer WHERE tries > 0) AS timer"
    )
    found.waiting |= {f"{who} {what}": count for what, count in waiting.items() if count}
    if who == WITNESS:
        told = await rows("SELECT topic, subject, sequence, event_id FROM @told ORDER BY ordinal")
        found.told = [Told(row[0], row[1], row[2], str(row[3])) for row in told if not row[1].startswith(POISON)]


async def _nothing(found: Evidence, admin: asyncpg.Connection, schema: str) -> None:
    """Of a process that keeps nothing of its own to be judged."""


async def _intake(found: Evidence, admin: asyncpg.Connection, schema: str) -> None:
    rows = await admin.fetch(f'SELECT patient_id, reference FROM "{schema}".intake')
    found.intakes = [(row[0], row[1]) for row in rows]


async def _scheduling(found: Evidence, admin: asyncpg.Connection, schema: str) -> None:
    rows = await admin.fetch(
        f'SELECT patient_id FROM "{schema}".appointment WHERE cancelled_at IS NULL '
        f'UNION ALL SELECT patient_id FROM "{schema}".unplaced_assessment'
    )
    found.visits = [row[0] for row in rows]


async def _billing(found: Evidence, admin: asyncpg.Connection, schema: str) -> None:
    found.decided_questions = frozenset(row[0] for row in await admin.fetch(f'SELECT trace FROM "{schema}".question'))


async def _notify(found: Evidence, admin: asyncpg.Connection, schema: str) -> None:
    rows = await admin.fetch(f'SELECT patient_id, purpose, channel, fate, reference FROM "{schema}".message')
    found.messages = [Message(*row) for row in rows]


_CLINIC = {"intake": _intake, "scheduling": _scheduling, "billing": _billing, "notify": _notify}


class Outside:
    """What the outside world has taken, read on from where the last look ended."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.letters: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.questions: list[str] = []
        self._texts_seen = 0

    async def look(self) -> None:
        """Raises RuntimeError where the outside world has forgotten what we have not read."""
        async with httpx.AsyncClient(base_url=self._url, trust_env=False, timeout=20) as client:
            for one in await _news(client, "/mailbox/messages", "accepted", "messages", len(self.letters)):
                self.letters.append(one["message_id"])
            for one in await _news(client, "/carrier/messages", "accepted", "messages", self._texts_seen):
                self._texts_seen += 1
                if one["direction"] == "outbound-api":
                    words = hashlib.sha256(f"{one['to']} {one['body']}".encode()).hexdigest()[:16]
                    self.texts.append((one["sid"], words))
            for one in await _news(client, "/control/payer/questions", "asked", "questions", len(self.questions)):
                self.questions.append(one["trace"])


_MORE_MEANWHILE = 20


async def _news(client: httpx.AsyncClient, path: str, counted: str, listed: str, seen: int) -> list[dict[str, Any]]:
    """All that came after the first `seen`, newest first; more may come while we ask."""

    async def ask(limit: int) -> dict[str, Any]:
        return (await client.get(path, params={"limit": limit})).raise_for_status().json()

    limit = 1
    while True:
        answer = await ask(limit)
        new, found = answer[counted] - seen, answer[listed]
        if len(found) >= new:
            return found[: max(0, new)]
        if limit >= new:
            raise RuntimeError(f"{path} has forgotten some of its last {new}: use a new ground sooner")
        limit = new + _MORE_MEANWHILE


async def what_each_hears(ground: Ground) -> dict[str, frozenset[str]]:
    """The types of events that each service says it handles."""
    headers = {"Authorization": f"Bearer {token(ground.house.vault.secret('tokens'), Role.STAFF)}"}
    heard = {WITNESS: frozenset(EVENT_TYPES)}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
        for who in ground.processes[:-1]:
            answer = await client.get(f"{ground.house.url(who)}/asyncapi.json")
            operations = answer.raise_for_status().json()["operations"].values()
            received = [one for one in operations if one["action"] == "receive"]
            heard[who] = frozenset(
                message["$ref"].rpartition("/")[2] for one in received for message in one["messages"]
            )
    return heard
