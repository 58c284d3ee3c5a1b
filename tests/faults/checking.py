"""Was anything lost, doubled, or put out of order? Pure: evidence in, findings out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from contracts.registry import EVENT_TYPES
from tests.faults.evidence import Evidence, Heard, Message


class Kind(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    """A second decision for one purpose."""
    REORDERED = "reordered"
    """First copies of one patient and stream out of turn."""
    RESENT = "resent"
    """One decision, done to the outside more than once."""
    LEFT = "left"
    """Something that should have been drained by now."""


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    what: str
    whom: str = ""


def check(found: Evidence) -> list[Finding]:
    """Everything that is wrong, or merely repeated. Nothing twice."""
    findings = [
        *_promises(found),
        *_streams(found),
        *_consumers(found),
        *_witness(found),
        *_journeys(found),
        *_messages(found),
        *_questions(found),
        *_left(found),
    ]
    return list(dict.fromkeys(findings))


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    counted = Counter(finding.kind for finding in findings)
    return {kind.value: counted[kind] for kind in Kind}


def _repeated(values: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each that comes more than once, and how many times too often."""
    return ((value, count - 1) for value, count in Counter(values).items() if count > 1)


def _promises(found: Evidence) -> Iterator[Finding]:
    """Whoever was answered is on file, once, and under the one id and reference that they were told."""
    on_file = Counter(found.intakes)
    promised = {(promise.patient_id, promise.reference) for promise in found.promises}
    for promise in found.promises:
        if (promise.patient_id, promise.reference) not in on_file:
            yield Finding(Kind.LOST, "a form that was taken is not on file", promise.patient_id)
        if len(promise.ids) > 1:
            yield Finding(Kind.DOUBLED, "one form became several patients", promise.patient_id)
    for patient, reference in on_file:
        if (patient, reference) not in promised:
            yield Finding(Kind.DOUBLED, "a form is on file that nobody was answered for", patient)


def first_copies(heard: Iterable[Heard]) -> dict[tuple[str, str], list[Heard]]:
    """By stream and subject, in the order of the partition."""
    seen: set[str] = set()
    firsts: defaultdict[tuple[str, str], list[Heard]] = defaultdict(list)
    for one in sorted(heard, key=lambda one: (one.topic, one.partition, one.offset)):
        if one.id not in seen:
            seen.add(one.id)
            firsts[one.topic, one.subject].append(one)
    return firsts


def _streams(found: Evidence) -> Iterator[Finding]:
    """What was committed is on the stream: all of it, in order, each decision once, each copy the same."""
    firsts = first_copies(found.heard)
    for (topic, subject), last in found.heads.items():
        missing = set(range(1, last + 1)) - {one.sequence for one in firsts.get((topic, subject), ())}
        for sequence in sorted(missing):
            yield Finding(Kind.LOST, f"event {sequence} of {last} was committed and never published, {topic}", subject)
    for (topic, subject), events in firsts.items():
        sequences = [one.sequence for one in events]
        if sequences != sorted(sequences):
            yield Finding(Kind.REORDERED, f"published as {sequences}, {topic}", subject)
        for sequence, _ in _repeated(map(str, sequences)):
            yield Finding(Kind.DOUBLED, f"two events say to be number {sequence}, {topic}", subject)
        if len({one.partition for one in events}) > 1:
            yield Finding(Kind.REORDERED, f"spread over partitions, {topic}", subject)
        for decision, _ in _repeated(one.decision for one in events):
            yield Finding(Kind.DOUBLED, f"decided twice: {decision}", subject)
    digests: defaultdict[str, set[str]] = defaultdict(set)
    for one in found.heard:
        digests[one.id].add(one.digest)
    for one in found.heard:
        if len(digests[one.id]) > 1:
            yield Finding(Kind.DOUBLED, f"two copies of an event differ: {one.id}", one.subject)


def _consumers(found: Evidence) -> Iterator[Finding]:
    """Each consumer has applied every event that it handles."""
    events = {one.id: one for one in found.heard}
    for consumer, types in found.hears.items():
        applied = found.applied.get(consumer, frozenset())
        for one in events.values():
            if one.type in types and one.id not in applied:
                yield Finding(Kind.LOST, f"{consumer} has not applied {one.type} {one.id}", one.subject)


def _witness(found: Evidence) -> Iterator[Finding]:
    """The witness was told of every event once, and of each patient's in order."""
    told = Counter(one.id for one in found.told)
    for one in {one.id: one for one in found.heard}.values():
        if one.type in EVENT_TYPES and not told[one.id]:
            yield Finding(Kind.LOST, f"the witness was not told of {one.type} {one.id}", one.subject)
    orders: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for one in found.told:
        if told[one.id] > 1:
            yield Finding(Kind.DOUBLED, f"the witness was told {told[one.id]} times of {one.id}", one.subject)
        if one.sequence not in orders[one.topic, one.subject]:
            orders[one.topic, one.subject].append(one.sequence)
    for (topic, subject), order in orders.items():
        if order != sorted(order):
            yield Finding(Kind.REORDERED, f"the witness was told in the order {order}, {topic}", subject)


def _journeys(found: Evidence) -> Iterator[Finding]:
    """Everybody has a visit, and only one; their payer was asked; they were told of both."""
    visits = Counter(found.visits)
    said: defaultdict[str, set[str]] = defaultdict(set)
    for one in found.heard:
        said[one.subject].add(one.type.split(".")[1])
    written: defaultdict[str, list[Message]] = defaultdict(list)
    for message in found.messages:
        written[message.patient_id].append(message)
    for promise in found.promises:
        whom = promise.patient_id
        if not visits[whom]:
            yield Finding(Kind.LOST, "no visit", whom)
        if visits[whom] > 1:
            yield Finding(Kind.DOUBLED, f"{visits[whom]} visits for one form", whom)
        if not done(said[whom], insured=promise.insured):
            yield Finding(Kind.LOST, "the journey did not come to its end", whom)
        for about in ("appointment_booked:", "coverage:"):
            if not any(one.purpose.startswith(about) and one.fate in _TAKEN for one in written[whom]):
                yield Finding(Kind.LOST, f"nothing was sent about {about.rstrip(':')}", whom)
    for key, _ in _repeated(f"{one.purpose} by {one.channel}" for one in found.messages):
        yield Finding(Kind.DOUBLED, f"told twice: {key}")


_TAKEN = frozenset({"sent", "delivered"})
_SETTLED = _TAKEN | {"waiting", "superseded"}
_CONCLUSIONS = frozenset({"coverage_verified", "coverage_inactive", "coverage_undetermined"})


def done(said: AbstractSet[str], *, insured: bool) -> bool:
    """Whether a journey has come to its end, by the names of what was said about its person."""
    placed = bool(said & {"appointment_booked", "assessment_unplaced"})
    asked = not insured or ("verification_requested" in said and bool(said & _CONCLUSIONS))
    return placed and asked and "message_sent" in said


def _messages(found: Evidence) -> Iterator[Finding]:
    """What notify says that it sent was taken; what was taken had been decided."""
    referred = {one.reference: one for one in found.messages if one.reference}
    letters, texts = Counter(found.letters), dict(found.texts)
    for one in found.messages:
        if one.fate not in _SETTLED:
            yield Finding(Kind.LOST, f"a message by {one.channel} is {one.fate}: {one.purpose}", one.patient_id)
        elif one.fate in _TAKEN and one.reference not in (letters if one.channel == "email" else texts):
            yield Finding(Kind.LOST, f"sent by {one.channel}, and nobody took it: {one.purpose}", one.patient_id)
    for letter, count in letters.items():
        if letter not in referred:
            yield Finding(Kind.DOUBLED, f"a letter that nobody decided to send: {letter}")
        for copy in range(1, count):
            yield Finding(Kind.RESENT, f"copy {copy + 1} of a letter: {letter}")
    known = {digest for sid, digest in texts.items() if sid in referred}
    for sid, digest in texts.items():
        if sid not in referred:
            kind = Kind.RESENT if digest in known else Kind.DOUBLED
            yield Finding(kind, f"a text that no decision refers to: {sid}")


def _questions(found: Evidence) -> Iterator[Finding]:
    for trace, count in Counter(found.questions).items():
        if trace not in found.decided_questions:
            yield Finding(Kind.DOUBLED, f"a question that nobody decided to ask: {trace}")
        for copy in range(1, count):
            yield Finding(Kind.RESENT, f"question {trace} asked again, {copy + 1}")


def _left(found: Evidence) -> Iterator[Finding]:
    """Nothing waits, and nothing is parked that was not poison."""
    for what, count in found.waiting.items():
        yield Finding(Kind.LEFT, f"{count} × {what}")
    for consumer, topic, partition, offset, cause in found.parked:
        if (topic, partition, offset) not in found.poison:
            yield Finding(Kind.LEFT, f"{consumer} has parked {topic}/{partition}@{offset}: {cause}")
    kept = {(topic, partition, offset) for _, topic, partition, offset, _ in found.parked}
    for topic, partition, offset in found.poison - kept:
        yield Finding(Kind.LOST, f"poison that nobody kept: {topic}/{partition}@{offset}")
