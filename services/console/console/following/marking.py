"""A person of the clinic has dealt with something that no event will tell of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.transaction import Transaction
from console.following import store
from console.following.handlers import CHANGED
from console.following.model import Done
from console.following.tasks import TaskRules, tasks_of


class NoSuchTask(LookupError):
    """No task has this id."""


class NotByHand(ValueError):
    """A task of this kind ends when a service says so, by nobody's hand."""


class OtherThanSeen(ValueError):
    """The task stands for something else by now than what somebody has dealt with."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended. `by` is None where it ended by itself."""

    patient_id: str
    at: datetime
    by: str | None


async def mark_done(tx: Transaction, task_id: int, version: str, by: str, rules: TaskRules) -> Ended:
    """The first one did it: a task that has ended already stays as it ended.

    `version` is the task's as it was seen. Raises NoSuchTask, NotByHand or OtherThanSeen.
    """
    locked = await store.lock_for_task(tx.connection, task_id)
    if locked is None:
        raise NoSuchTask
    patient_id, known = locked
    row = await store.task(tx.connection, task_id)
    if row.settled_at:
        return Ended(patient_id, row.settled_at, row.done_by)
    if not rules[row.kind].by_hand:
        raise NotByHand
    standing = tasks_of(known, rules, tx.now)
    task = next((one for one in standing if (one.kind, one.about) == (row.kind, row.about)), None)
    if task is None or task.version != version:
        raise OtherThanSeen
    done = Done(kind=task.kind, things=tuple(sorted(task.things)), by=by, at=tx.now)
    after = known.with_done(done)
    await store.add_done(tx.connection, patient_id, done)
    await store.save(tx.connection, patient_id, after)
    await store.end_by_hand(tx.connection, task_id, tx.now, by)
    await store.keep_tasks(tx.connection, patient_id, tasks_of(after, rules, tx.now), rules, tx.now)
    tx.wake(CHANGED)
    return Ended(patient_id, tx.now, by)
