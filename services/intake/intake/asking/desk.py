"""The front desk: takes what was sent, has photographs cleaned, and sees to it that nothing is half kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from fastapi import Request, Response
from obstore.exceptions import BaseError

from chassis.clock import Clock
from chassis.database import Database
from chassis.http import Answer, answer_once
from chassis.log import logger
from chassis.transaction import Transaction
from intake.asking.model import PHOTO_FIELDS, VALUE_FIELDS, FormFaulty, HelpRequest, judge
from intake.asking.sent import SentForm, read_sent
from intake.asking.store import Receipt, StoredCard, find_receipt
from intake.asking.submission import submit
from intake.clinic import Clinic
from intake.metrics import IntakeMetrics
from intake.uploads.cleaning import Cleaner
from intake.uploads.faults import CardRefused
from intake.uploads.keyring import KeyRing
from intake.uploads.multipart import FormUnreadable
from intake.uploads.storage import CardStore, SealedFile

RECEIVED: Final = "/received/"
"""The address of a confirmation page, before its receipt."""

_SCOPE: Final = "POST /intakes"
_BUSY: Final = "Very many people write to us just now. Send the form again in a minute, or call us."


@dataclass(slots=True)
class _Photos:
    """Of one form, by field."""

    cards: dict[str, SealedFile] = field(default_factory=dict[str, SealedFile])
    refused: dict[str, CardRefused] = field(default_factory=dict[str, CardRefused])
    handed_over: bool = False


@dataclass(slots=True)
class FrontDesk:
    """Where every form arrives, whichever way it was sent."""

    database: Database
    clock: Clock
    clinic: Clinic
    store: CardStore
    ring: KeyRing
    cleaner: Cleaner
    metrics: IntakeMetrics
    places: int
    """Forms that may be on their way in at once."""
    _taken: int = field(default=0, init=False)

    @contextmanager
    def place(self) -> Generator[None]:
        """Hold one while a form is read and taken: it bounds memory and disk. Raises FormUnreadable."""
        if self._taken >= self.places:
            raise FormUnreadable(503, _BUSY)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def read(self, request: Request) -> SentForm:
        """Raises FormUnreadable."""
        try:
            sent = await read_sent(request, self.store)
        except FormUnreadable:
            self.metrics.intakes.labels("unreadable").inc()
            raise
        self.metrics.upload_bytes.inc(sum(photo.size for photo in sent.photos.values()))
        return sent

    async def take(self, sent: SentForm, *, key: str | None) -> Response:
        """201 with `{"reference", "patient_id"}` and the confirmation page's address in Location.

        A repeat under the same `key` gets the first answer. Raises FormFaulty; then nothing is kept.
        """
        async with self._cleaned(sent) as photos:
            request = self._judged(sent, photos.refused)
            cards = [self._stored(name, card) for name, card in photos.cards.items()]

            async def operate(tx: Transaction) -> Answer:
                photos.handed_over = True
                accepted = await submit(tx, request, cards, self.clinic)
                body = {"reference": accepted.reference, "patient_id": accepted.patient_id}
                return Answer(201, body, {"Location": RECEIVED + accepted.receipt})

            response = await answer_once(
                self.database, key=key or sent.form_id, scope=_SCOPE, fingerprint=sent.fingerprint(), operate=operate
            )
        self.metrics.intakes.labels("accepted" if photos.handed_over else "repeated").inc()
        return response

    async def receipt(self, receipt: str) -> Receipt | None:
        async with self.database.connection() as connection:
            return await find_receipt(connection, receipt)

    @asynccontextmanager
    async def _cleaned(self, sent: SentForm) -> AsyncGenerator[_Photos]:
        """The photographs, cleaned. Whoever has handed them over leaves them to the database's rows, and to the
        sweeper where it is not known whether those were committed."""
        photos = _Photos(refused=dict(sent.refused))
        try:
            try:
                for name, raw in sent.photos.items():
                    await self._clean(name, raw, photos)
            finally:
                await self._forget(sent.photos.values())
            yield photos
        finally:
            if not photos.handed_over:
                await self._forget(photos.cards.values())

    async def _clean(self, name: str, raw: SealedFile, photos: _Photos) -> None:
        try:
            photos.cards[name] = await self.cleaner.clean(raw)
        except CardRefused as refused:
            photos.refused[name] = refused

    async def _forget(self, files: Iterable[SealedFile]) -> None:
        try:
            await self.store.delete(*(file.name for file in files))
        except (BaseError, OSError) as error:
            logger.warning("card_left_to_the_sweeper", cause=type(error).__name__)

    def _judged(self, sent: SentForm, refused: Mapping[str, CardRefused]) -> HelpRequest:
        faults = {**sent.faults, **{name: reason.sentence for name, reason in refused.items()}}
        for name, reason in refused.items():
            self.metrics.photos_refused.labels(reason.fault).inc()
            logger.info("card_photo_refused", side=name, fault=reason.fault, cause=reason.cause)
        today = self.clock.now().astimezone(self.clinic.zone).date()
        try:
            request = judge(sent.values, today=today, region=self.clinic.region)
        except FormFaulty as faulty:
            faults = {**faulty.faults, **faults}
        else:
            if not faults:
                return request
        self.metrics.intakes.labels("refused").inc()
        raise FormFaulty({name: faults[name] for name in (*VALUE_FIELDS, *PHOTO_FIELDS) if name in faults})

    def _stored(self, name: str, card: SealedFile) -> StoredCard:
        side = name.removeprefix("card_")
        return StoredCard(side, card.name, card.size, self.ring.wrap(card.key, name=card.name))
