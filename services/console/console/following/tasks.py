"""What needs a person, worked out from what is known. A task ends when what made it no longer holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from console.following.coverage import Cause, CoverageState, Standing, standing_of
from console.following.model import Known, Message, MessageFate, Stage, stage_of
from contracts.billing import Owner

NO_CHANNEL: Final = "no_channel"


class TaskKind(StrEnum):
    IN_DANGER = "in_danger"
    ASSESSMENT_UNPLACED = "assessment_unplaced"
    ASSESSMENT_AWAITED = "assessment_awaited"
    NO_CHANNEL = "no_channel"
    MESSAGE_FAILED = "message_failed"
    REPLY_TO_READ = "reply_to_read"
    CARD_UNREADABLE = "card_unreadable"
    CARD_AWAITED = "card_awaited"
    COVERAGE_NEEDS_STAFF = "coverage_needs_staff"
    COVERAGE_NEEDS_PATIENT = "coverage_needs_patient"
    COVERAGE_MISSING = "coverage_missing"
    COVERAGE_INACTIVE = "coverage_inactive"
    PAYER_SILENT = "payer_silent"


class TaskOwner(StrEnum):
    """Who acts next."""

    CLINICIAN = "clinician"
    STAFF = "staff"
    PATIENT = "patient"
    PAYER = "payer"


@dataclass(frozen=True, slots=True)
class TaskRule:
    """How a kind of task is treated: the table is in wording.yaml."""

    rank: int
    """The smallest is shown first."""
    owner: TaskOwner
    patience: timedelta
    """It needs a person only when it has stood so long."""
    shown_for: timedelta | None
    """It ends by itself after so long, where no event can tell that it was done."""
    late_after: timedelta
    """It should not stand for longer."""
    by_hand: bool
    """A person may mark it done, because no service will say that it is."""


TaskRules = Mapping[TaskKind, TaskRule]


@dataclass(frozen=True, slots=True)
class Task:
    """Something that stands open for one person. `about` tells two tasks of one kind apart.

    `why` is the case's own sentence, where there is one; it may hold what only staff should read.
    """

    kind: TaskKind
    since: datetime
    owner: TaskOwner
    person_from: datetime
    late_from: datetime
    things: frozenset[str]
    """What exactly it stands for; it ends when all of that is marked as done."""
    about: str = ""
    why: str | None = None

    @property
    def version(self) -> str:
        """Another one when it stands for something else than before."""
        return sha256("\0".join(sorted(self.things)).encode()).hexdigest()[:16]


def tasks_of(known: Known, rules: TaskRules, now: datetime) -> list[Task]:
    """Everything that stands open for a person at `now`, at most one for each kind and what it is about."""
    found = [*_of_danger(known), *_of_assessment(known), *_of_messages(known), *_of_coverage(standing_of(known))]
    return [_ruled(one, rules[one.kind]) for one in found if not _is_over(one, rules[one.kind], known, now)]


def next_end(known: Known, rules: TaskRules, now: datetime) -> datetime | None:
    """When the first of a person's open tasks ends by itself."""
    ends = [one.since + term for one in tasks_of(known, rules, now) if (term := rules[one.kind].shown_for)]
    return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class _Found:
    kind: TaskKind
    since: datetime
    about: str = ""
    why: str | None = None
    messages: frozenset[str] = frozenset()

    @property
    def things(self) -> frozenset[str]:
        return self.messages or frozenset([f"{self.kind}:{self.about}:{self.since.isoformat()}"])


def _ruled(one: _Found, rule: TaskRule) -> Task:
    since = one.since
    return Task(
        one.kind, since, rule.owner, since + rule.patience, since + rule.late_after, one.things, one.about, one.why
    )


def _is_over(one: _Found, rule: TaskRule, known: Known, now: datetime) -> bool:
    shown_long_enough = rule.shown_for is not None and now >= one.since + rule.shown_for
    return shown_long_enough or (rule.by_hand and all(map(known.is_done, one.things)))


def _of_danger(known: Known) -> list[_Found]:
    return [_Found(TaskKind.IN_DANGER, known.danger.since)] if known.danger else []


def _of_assessment(known: Known) -> list[_Found]:
    match stage_of(known):
        case Stage.UNPLACED if known.unplaced:
            return [_Found(TaskKind.ASSESSMENT_UNPLACED, known.unplaced.since)]
        case Stage.ASKED:
            return [_Found(TaskKind.ASSESSMENT_AWAITED, known.arrived_at)]
        case _:
            return []


def _of_messages(known: Known) -> list[_Found]:
    """One task for all that could not be told at all, one for all that failed: a person phones once."""
    failed: dict[TaskKind, list[Message]] = {}
    for one in unreached(known):
        kind = TaskKind.NO_CHANNEL if one.cause == NO_CHANNEL else TaskKind.MESSAGE_FAILED
        failed.setdefault(kind, []).append(one)
    found = [
        _Found(kind, min(one.at for one in messages), messages=frozenset(one.id for one in messages))
        for kind, messages in failed.items()
    ]
    if known.unread_reply_at:
        found.append(_Found(TaskKind.REPLY_TO_READ, known.unread_reply_at))
    return found


def unreached(known: Known) -> list[Message]:
    """Messages that reached their person by no channel, no later one on the same matter, and nobody of the clinic."""
    failed = [one for one in known.messages if one.fate is MessageFate.FAILED and not known.is_done(one.id)]
    return [one for one in failed if not _told_otherwise(one, known)]


def _told_otherwise(failed: Message, known: Known) -> bool:
    return any(
        other.fate is not MessageFate.FAILED
        and _matter(other) == _matter(failed)
        and (other.purpose == failed.purpose or other.at >= failed.at)
        for other in known.messages
    )


def _matter(message: Message) -> str:
    """`appointment_booked:<id>:<version>` → without the version: a later one speaks of the same appointment."""
    return message.purpose.rpartition(":")[0] or message.purpose


_BY_CAUSE: Final[Mapping[Cause, TaskKind]] = {
    Cause.CARD_UNREADABLE: TaskKind.CARD_UNREADABLE,
    Cause.CARD_FAILED: TaskKind.CARD_UNREADABLE,
    Cause.CARD_INCOMPLETE: TaskKind.CARD_UNREADABLE,
    Cause.CARD_BEING_READ: TaskKind.CARD_AWAITED,
    Cause.NOTHING_GIVEN: TaskKind.COVERAGE_MISSING,
    Cause.STAFF_MUST_LOOK: TaskKind.COVERAGE_NEEDS_STAFF,
    Cause.BEING_ASKED: TaskKind.PAYER_SILENT,
    Cause.REPORTED: TaskKind.PAYER_SILENT,
    Cause.PAYER_SAYS_INACTIVE: TaskKind.COVERAGE_INACTIVE,
}
_BY_OWNER: Final[Mapping[Owner | None, TaskKind]] = {
    Owner.STAFF: TaskKind.COVERAGE_NEEDS_STAFF,
    Owner.PATIENT: TaskKind.COVERAGE_NEEDS_PATIENT,
    Owner.PAYER: TaskKind.PAYER_SILENT,
}


def _of_coverage(standing: Standing) -> list[_Found]:
    undetermined = standing.cause is Cause.NOT_DETERMINED
    kind = _BY_OWNER.get(standing.owner) if undetermined else _BY_CAUSE.get(standing.cause)
    if kind is None or standing.state is CoverageState.ACTIVE:
        return []
    coverage = standing.coverage
    look = coverage.staff_look if coverage else None
    why = look.what_to_do if look else standing.sentence
    return [_Found(kind, standing.since, coverage.id if coverage else "", why)]
