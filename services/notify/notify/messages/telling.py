"""The decision to tell: what is due and was not decided before becomes a message, once for each purpose and channel."""

from __future__ import annotations

from datetime import datetime

from chassis.timers import Timer
from chassis.transaction import Transaction
from contracts.ids import MessageId, new_message_id
from contracts.notify import Channel, MessageFailed
from notify.clinic import Clinic
from notify.messages import facts, store
from notify.messages.metrics import MessageMetrics
from notify.messages.model import Due, Known, Templates, card_settles_at, due, text_allowed_at
from notify.messages.store import Fate

CARD_SETTLED = "card_settled"
TEXT_ALLOWED = "text_allowed"

NO_CHANNEL = "no_channel"
"""Neither an e-mail address nor consent to texts: a person of the staff has to phone."""


class Telling:
    """Decides, and hands what was decided to the destination named like its channel."""

    def __init__(self, clinic: Clinic, templates: Templates, metrics: MessageMetrics) -> None:
        self._clinic = clinic
        self._templates = templates
        self._metrics = metrics

    async def tell(self, tx: Transaction, patient_id: str) -> None:
        """Decide on everything that is due for a person now. Their row has to be locked."""
        known = await facts.known(tx.connection, patient_id, tx.now)
        before = await store.decided(tx.connection, patient_id)
        for one in due(known, tx.now, self._templates, self._clinic.card_settles):
            if (one.purpose, one.channel) not in before:
                await self._decide(tx, known, one)
        settles_at = card_settles_at(known.person, self._clinic.card_settles)
        if settles_at and settles_at > tx.now:
            await tx.set_timer(CARD_SETTLED, patient_id, settles_at)

    async def on_card_settled(self, tx: Transaction, timer: Timer) -> None:
        """Whatever was to come of a card that was read in part has come by now."""
        await facts.lock_person(tx.connection, timer.key)
        await self.tell(tx, timer.key)

    async def on_text_allowed(self, tx: Transaction, timer: Timer) -> None:
        """It is an hour at which a text may be sent."""
        message = await store.lock_message(tx.connection, timer.key)
        if message is not None and message.fate is Fate.WAITING:
            round = await store.next_round(tx.connection, message.id, tx.now)
            await _hand_over(tx, message.id, message.patient_id, message.due, round)

    async def _decide(self, tx: Transaction, known: Known, one: Due) -> None:
        id, patient_id = new_message_id(), known.person.patient_id
        allowed_at = self._allowed_at(known, one, tx.now)
        match one.channel:
            case Channel.PHONE:
                fate = Fate.FAILED
            case _ if allowed_at > tx.now:
                fate = Fate.WAITING
            case _:
                fate = Fate.DECIDED
        if not await store.decide(tx.connection, id, patient_id, one, fate, tx.now):
            return
        self._metrics.fated(one, fate)
        match fate:
            case Fate.WAITING:
                await tx.set_timer(TEXT_ALLOWED, id, allowed_at)
            case Fate.DECIDED:
                await _hand_over(tx, id, patient_id, one, await store.next_round(tx.connection, id, tx.now))
            case _:
                await store.set_fate(tx.connection, id, fate, tx.now, cause=NO_CHANNEL)
                tx.emit(failed(id, one, NO_CHANNEL), subject=patient_id)

    def _allowed_at(self, known: Known, one: Due, now: datetime) -> datetime:
        if one.channel is not Channel.SMS:
            return now
        template = self._templates[one.template]
        return text_allowed_at(known, template, now, self._clinic.texts, self._clinic.time_zone)


def failed(id: MessageId, one: Due, cause: str) -> MessageFailed:
    return MessageFailed(message_id=id, purpose=one.purpose, template=one.template, channel=one.channel, cause=cause)


async def _hand_over(tx: Transaction, id: MessageId, patient_id: str, one: Due, round: int) -> None:
    purpose = one.purpose if round == 1 else f"{one.purpose}#{round}"
    await tx.ask_outside(one.channel, purpose, {"message_id": id}, subject=patient_id)
