"""The search for a free time in the tables: a week of holds at a time, never beyond the horizon."""

from __future__ import annotations

from datetime import date, timedelta

from chassis.transaction import Transaction
from scheduling.booking import model, store
from scheduling.booking.model import Need, Slot
from scheduling.clinic import Clinic

DAYS_AT_ONCE = 7


async def find(tx: Transaction, clinic: Clinic, need: Need) -> Slot | None:
    """The earliest free slot. Waits its turn, and keeps others waiting until the transaction ends."""
    floor = await store.lock_search(tx.connection, need.kind, clinic.digest, urgent=need.urgent)
    days = model.days_to_search(clinic, need, tx.now, floor)
    for first in range(0, len(days), DAYS_AT_ONCE):
        week = days[first : first + DAYS_AT_ONCE]
        busy = await store.busy(tx.connection, model.bounds(clinic, week[0], week[-1]))
        if slot := model.earliest_slot(clinic, need, week, busy):
            await _nothing_before(tx, clinic, need, floor, clinic.today(slot.span.starts_at))
            return slot
    if days:
        await _nothing_before(tx, clinic, need, floor, days[-1] + timedelta(days=1))
    return None


async def _nothing_before(tx: Transaction, clinic: Clinic, need: Need, floor: date | None, day: date) -> None:
    """Let later searches begin there; but a search with a longer lead than usual says nothing about the others."""
    if day != floor and need == model.need(clinic, need.kind, tx.now, urgent=need.urgent):
        await store.raise_floor(tx.connection, need.kind, clinic.digest, day, urgent=need.urgent)
