"""Every event of every stream: written down, learned, and its tasks worked out, in one transaction."""

from __future__ import annotations

from typing import Final

from chassis.clock import Clock
from chassis.seal import Seal
from chassis.timers import Timer
from chassis.transaction import Transaction
from console.following import store
from console.following.model import Known, learn
from console.following.tasks import TaskRules, next_end, tasks_of
from console.metrics import Delay
from contracts.envelope import Envelope
from contracts.event import Event

TASK_ENDS: Final = "task_ends"
CHANGED: Final = "people_changed"
"""Whoever shows people sleeps under this name."""

_PATIENT: Final = "patient_"


class Following:
    """Follows the streams. A copy of an event, or one older than what its stream said last, changes nothing."""

    def __init__(self, seal: Seal, rules: TaskRules, clock: Clock, delay: Delay) -> None:
        self._seal = seal
        self._rules = rules
        self._clock = clock
        self._delay = delay

    async def on_event(self, tx: Transaction, event: Event, envelope: Envelope) -> None:
        if await store.write_down(tx.connection, self._seal, event, envelope):
            if envelope.subject.startswith(_PATIENT):
                await self._learn(tx, event, envelope)
            tx.wake(CHANGED)
        self._delay.applied(-self._clock.machine_seconds_until(envelope.time))

    async def on_task_ends(self, tx: Transaction, timer: Timer) -> None:
        """A task is shown no longer, though no event has ended it."""
        if known := await store.lock(tx.connection, timer.key):
            await self._work_out_tasks(tx, timer.key, known)
            tx.wake(CHANGED)

    async def _learn(self, tx: Transaction, event: Event, envelope: Envelope) -> None:
        patient_id = envelope.subject
        before = await store.lock(tx.connection, patient_id)
        known = learn(before, event, envelope)
        if before is None:
            known = known.with_done(*await store.done_before(tx.connection, patient_id))
        if before is None and not await store.add(tx.connection, patient_id, known):
            before = await store.lock(tx.connection, patient_id)
            known = learn(before, event, envelope)
        if before is not None:
            await store.save(tx.connection, patient_id, known)
        await self._work_out_tasks(tx, patient_id, known)

    async def _work_out_tasks(self, tx: Transaction, patient_id: str, known: Known) -> None:
        tasks = tasks_of(known, self._rules, tx.now)
        await store.keep_tasks(tx.connection, patient_id, tasks, self._rules, tx.now)
        if ends_at := next_end(known, self._rules, tx.now):
            await tx.set_timer(TASK_ENDS, patient_id, ends_at)
