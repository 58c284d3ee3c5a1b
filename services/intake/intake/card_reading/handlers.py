"""A stored card is read outside of any transaction; what it says is written down and said in one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from chassis.database import Database
from chassis.log import logger
from chassis.outside import OutsideRefused, OutsideTask, OutsideUnavailable
from chassis.transaction import Transaction
from contracts.ids import IntakeId, new_coverage_id
from contracts.intake import CardField, CardOutcome, CardRead
from intake.card_reading import store
from intake.card_reading.images import CardImages
from intake.card_reading.model import Printed, contradicted, reported
from intake.cards.model import CardReading
from intake.cards.reader import CardReaderFailed, CardUnreadable
from intake.metrics import IntakeMetrics
from intake.uploads.keyring import KeyRingUnusable
from intake.uploads.sealing import SealBroken


class Reader(Protocol):
    """Reads the two sides of a card."""

    async def read(self, front: bytes, back: bytes | None = None) -> CardReading: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What one card says, and how long it took to read, in seconds."""

    printed: Printed
    seconds: float


@dataclass(frozen=True, slots=True)
class CardReadings:
    """The three ends of the outside task `card_reading`."""

    database: Database
    images: CardImages
    reader: Reader
    metrics: IntakeMetrics

    async def read(self, task: OutsideTask) -> Reading:
        started = time.monotonic()
        front, back = await self._sides(IntakeId(task.payload["intake_id"]))
        try:
            reading = await self.reader.read(front, back)
        except CardUnreadable:
            return Reading(Printed(), time.monotonic() - started)
        except CardReaderFailed:
            raise OutsideUnavailable("card_reader_failed") from None
        fields = tuple(CardField(name=f.name, value=f.value, confidence=f.confidence) for f in reading.fields)
        return Reading(Printed(fields), time.monotonic() - started)

    async def answered(self, tx: Transaction, task: OutsideTask, reading: Reading) -> None:
        await self._conclude(tx, task, reading.printed, reading.printed.outcome, round(reading.seconds, 3))

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause_code: str) -> None:
        """The card could not be looked at; what was typed stands."""
        logger.warning("card_not_read", intake_id=task.payload["intake_id"], cause=cause_code)
        await self._conclude(tx, task, Printed(), CardOutcome.FAILED, None)

    async def _conclude(
        self, tx: Transaction, task: OutsideTask, printed: Printed, outcome: CardOutcome, seconds: float | None
    ) -> None:
        intake = IntakeId(task.payload["intake_id"])
        assert task.subject is not None
        typed = await store.lock_typed(tx.connection, intake)
        read = CardRead(
            intake_id=intake,
            outcome=outcome,
            fields=printed.fields,
            contradicted=contradicted(typed, printed),
            seconds=seconds,
        )
        await store.add_reading(tx.connection, read, tx.now)
        tx.emit(read, subject=task.subject)
        coverage = reported(new_coverage_id(), typed, printed)
        if coverage is not None:
            await store.add_coverage(tx.connection, intake, coverage, tx.now)
            tx.emit(coverage, subject=task.subject)
        self.metrics.card_readings.labels(outcome).inc()

    async def _sides(self, intake: IntakeId) -> tuple[bytes, bytes | None]:
        """The clear images; a lone back stands in for the front."""
        async with self.database.connection() as connection:
            cards = {card.side: card for card in await store.find_cards(connection, intake)}
        try:
            sides = [await self.images.whole(cards[side]) for side in ("front", "back") if side in cards]
        except (FileNotFoundError, SealBroken, KeyRingUnusable) as error:
            raise OutsideRefused(type(error).__name__) from None
        return sides[0], sides[1] if len(sides) > 1 else None
