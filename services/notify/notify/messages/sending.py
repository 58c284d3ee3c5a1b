"""Sending what was decided: worded from what is known at that moment, or not sent because it no longer holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis.database import Database
from chassis.outside import OutsideRefused, OutsideTask
from chassis.transaction import Transaction
from contracts.notify import Channel, MessageDelivered, MessageSent
from notify.clinic import Clinic
from notify.messages import facts, store
from notify.messages.carrier import OPTED_OUT, Carrier
from notify.messages.mail import MailServer
from notify.messages.metrics import MessageMetrics
from notify.messages.model import Known, due, text_allowed_at
from notify.messages.store import Fate, Message
from notify.messages.telling import TEXT_ALLOWED, Telling, failed
from notify.messages.wording import Unfit, Wording

TEXT_UNSETTLED: Final = "text_unsettled"
"""Nothing has been heard of what became of a text for as long as it should take."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server or carrier took it, and knows it by `reference`."""

    reference: str
    said: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """What it was to say no longer holds, or may no longer be said this way."""


@dataclass(frozen=True, slots=True)
class TooLate:
    """Too late in the evening, or too early: to be sent at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """Its fate is known already: the carrier told us, though our own record of its answer was lost."""


Outcome = Taken | Superseded | TooLate | Ended


class Sending:
    """Outside tasks of both channels. Their payload is a message's id; everything else is read when it is sent."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        clinic: Clinic,
        wording: Wording,
        mail: MailServer,
        carrier: Carrier,
        telling: Telling,
        metrics: MessageMetrics,
        text_settles: timedelta,
    ) -> None:
        self._database = database
        self._now = now
        self._clinic = clinic
        self._wording = wording
        self._mail = mail
        self._carrier = carrier
        self._telling = telling
        self._metrics = metrics
        self.text_settles = text_settles

    async def call(self, task: OutsideTask) -> Outcome:
        """Outside of any transaction. Raises OutsideUnavailable and OutsideRefused."""
        now = self._now()
        async with self._database.connection() as connection:
            message = await store.message(connection, task.payload["message_id"])
            if message is None:
                raise OutsideRefused("message_unknown")
            known = await facts.known(connection, message.patient_id, now)
        if message.fate is not Fate.DECIDED:
            return Ended()
        if message.due not in due(known, now, self._wording.templates, self._clinic.card_settles):
            return Superseded()
        try:
            return await self._send(task, message, known, now)
        except Unfit as unfit:
            raise OutsideRefused(unfit.cause_code) from None

    async def answered(self, tx: Transaction, task: OutsideTask, outcome: Outcome) -> None:
        message = await store.lock_message(tx.connection, task.payload["message_id"])
        assert message is not None
        match outcome:
            case Taken(reference, said):
                await self.taken(tx, message, reference, said)
            case Superseded():
                await self._end(tx, message, Fate.SUPERSEDED)
            case TooLate(until):
                await self._end(tx, message, Fate.WAITING)
                await tx.set_timer(TEXT_ALLOWED, message.id, until)
            case Ended():
                pass

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause_code: str) -> None:
        message = await store.lock_message(tx.connection, task.payload["message_id"])
        if message is None or message.fate is not Fate.DECIDED:
            return
        await self.fail(tx, message, cause_code)
        if cause_code == OPTED_OUT:
            await self._stopped_at_the_carrier(tx, message.patient_id)

    async def taken(self, tx: Transaction, message: Message, reference: str, said: str | None = None) -> None:
        """Record once that a message was taken, whoever says so first: the answer, or the carrier's callback."""
        if message.fate is not Fate.DECIDED:
            if said is not None and message.said is None:
                await store.keep_said(tx.connection, message.id, said)
            return
        await self._end(tx, message, Fate.SENT, reference=reference, said=said)
        sent = MessageSent(
            message_id=message.id,
            purpose=message.purpose,
            template=message.template,
            channel=message.channel,
            sent_at=tx.now,
        )
        tx.emit(sent, subject=message.patient_id)
        if message.channel is Channel.SMS:
            await tx.set_timer(TEXT_UNSETTLED, message.id, tx.now + self.text_settles)
        self._metrics.sent(message.channel, (tx.now - message.decided_at).total_seconds())

    async def delivered(self, tx: Transaction, message: Message) -> None:
        await self._end(tx, message, Fate.DELIVERED)
        tx.emit(MessageDelivered(message_id=message.id, channel=message.channel), subject=message.patient_id)

    async def fail(self, tx: Transaction, message: Message, cause_code: str) -> None:
        """It will not reach its person this way; staff hears of it."""
        await self._end(tx, message, Fate.FAILED, cause=cause_code)
        tx.emit(failed(message.id, message.due, cause_code), subject=message.patient_id)

    async def _send(self, task: OutsideTask, message: Message, known: Known, now: datetime) -> Outcome:
        if message.channel is Channel.EMAIL:
            letter = self._wording.letter(message.due, known)
            assert known.person.email is not None, "what is due by e-mail has an address"
            return Taken(await self._mail.send(letter, known.person.email, task.id), letter.text)
        template = self._wording.templates[message.template]
        until = text_allowed_at(known, template, now, self._clinic.texts, self._clinic.time_zone)
        if until > now:
            return TooLate(until)
        text = self._wording.text(message.due, known)
        assert known.person.phone is not None, "what is due by text has a number"
        return Taken(await self._text(task, message, text, known.person.phone), text)

    async def _text(self, task: OutsideTask, message: Message, text: str, to: str) -> str:
        """An attempt after the first looks first whether the carrier has it already."""
        if task.attempt > 1 and (sid := await self._carrier.find(text, to, message.made_at)):
            return sid
        return await self._carrier.send(text, to, message.id)

    async def _end(
        self,
        tx: Transaction,
        message: Message,
        fate: Fate,
        *,
        cause: str | None = None,
        reference: str | None = None,
        said: str | None = None,
    ) -> None:
        await store.set_fate(tx.connection, message.id, fate, tx.now, cause=cause, reference=reference, said=said)
        self._metrics.fated(message.due, fate)

    async def _stopped_at_the_carrier(self, tx: Transaction, patient_id: str) -> None:
        await facts.lock_person(tx.connection, patient_id)
        if phone := await facts.phone_of(tx.connection, patient_id):
            for person in await facts.stop_texts(tx.connection, phone, tx.now):
                await self._telling.tell(tx, person)
