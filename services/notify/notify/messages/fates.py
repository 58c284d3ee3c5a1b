"""What becomes of a text: the carrier tells it once, to whoever listens then; where nobody did, it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chassis.database import Database
from chassis.outside import OutsideRefused, OutsideTask
from chassis.timers import Timer
from chassis.transaction import Transaction
from contracts.notify import Channel
from notify.messages import store
from notify.messages.carrier import Carrier
from notify.messages.sending import TEXT_UNSETTLED, Sending
from notify.messages.store import Fate, Message

TEXT_FATE: Final = "sms_fate"
"""The destination that is asked: the carrier again, with a pool of its own, so that no text waits behind a question."""

QUESTIONS: Final = 12
"""Each waits twice as long as the one before. By default the last is asked after almost three days: by then any carrier
has given up on a phone that is switched off."""

_SETTLED: Final = (Fate.DELIVERED, Fate.FAILED)


@dataclass(frozen=True, slots=True)
class Told:
    """Twilio's MessageStatus, and its ErrorCode where there is one."""

    status: str
    error_code: str = ""


class Fates:
    """Applies what the carrier says of a text, whichever way it is heard; what is heard again changes nothing."""

    def __init__(self, database: Database, sending: Sending, carrier: Carrier) -> None:
        self._database = database
        self._sending = sending
        self._carrier = carrier

    async def heard(self, tx: Transaction, message_id: str, reference: str, told: Told) -> None:
        """A callback. Any status means that the carrier has taken the text: we may have died before we knew."""
        message = await store.lock_message(tx.connection, message_id)
        if message is None or message.channel is not Channel.SMS or message.fate in _SETTLED:
            return
        await self._sending.taken(tx, message, reference)
        await self._apply(tx, message, told)

    async def on_unsettled(self, tx: Transaction, timer: Timer) -> None:
        """Nothing was heard of a text for a while."""
        message = await store.lock_message(tx.connection, timer.key)
        if message is None or message.fate is not Fate.SENT or not message.reference:
            return
        question = int(timer.payload.get("question", 1))
        payload = {"message_id": message.id, "sid": message.reference, "question": question}
        await tx.ask_outside(TEXT_FATE, f"{message.id}#{question}", payload, subject=message.patient_id)

    async def call(self, task: OutsideTask) -> Told:
        """Raises OutsideUnavailable and OutsideRefused."""
        async with self._database.connection() as connection:
            message = await store.message(connection, task.payload["message_id"])
        if message is None or message.fate is not Fate.SENT:
            raise OutsideRefused("settled_meanwhile")
        return Told(*await self._carrier.became(task.payload["sid"]))

    async def answered(self, tx: Transaction, task: OutsideTask, told: Told) -> None:
        message = await store.lock_message(tx.connection, task.payload["message_id"])
        if message is None or message.fate is not Fate.SENT:
            return
        if not await self._apply(tx, message, told):
            await self._ask_later(tx, task)

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause_code: str) -> None:
        message = await store.lock_message(tx.connection, task.payload["message_id"])
        if message is not None and message.fate is Fate.SENT:
            await self._ask_later(tx, task)

    async def _apply(self, tx: Transaction, message: Message, told: Told) -> bool:
        """Returns False where that is not the text's end."""
        match told.status:
            case "delivered":
                await self._sending.delivered(tx, message)
            case "undelivered" | "failed":
                await self._sending.fail(tx, message, f"carrier_{_code(told.error_code)}")
            case _:
                return False
        await tx.cancel_timer(TEXT_UNSETTLED, message.id)
        return True

    async def _ask_later(self, tx: Transaction, task: OutsideTask) -> None:
        """A text that nobody knows the end of after the last question stays what is known of it: sent."""
        question = int(task.payload["question"])
        if question < QUESTIONS:
            due_at = tx.now + self._sending.text_settles * 2**question
            await tx.set_timer(TEXT_UNSETTLED, task.payload["message_id"], due_at, {"question": question + 1})


def _code(given: str) -> str:
    return given if given.isascii() and given.isdigit() and len(given) <= 6 else "unknown"
