"""`python -m intake`: settings → clinic, store, keys → desk → handlers → pages."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from chassis.service import Service
from contracts.scheduling import AppointmentBooked
from intake.asking.api import intake_api
from intake.asking.desk import FrontDesk
from intake.asking.pages import public_pages
from intake.asking.submission import CARD_READING
from intake.card_reading.handlers import CardReadings
from intake.card_reading.images import CardImages
from intake.cards.reader import CardReader
from intake.clinic import BadClinicFile, read_clinic
from intake.metrics import IntakeMetrics
from intake.patients.api import patient_pages
from intake.patients.handlers import on_appointment_booked
from intake.settings import IntakeSettings
from intake.upkeep import keep_swept, open_ring, open_store
from intake.uploads.cleaning import Cleaner
from intake.uploads.keyring import KeyRingUnusable

MIGRATIONS = Path(__file__).with_name("migrations")
ANSWER_MARGIN_SECONDS = 15.0
"""For opening the images, before the reader's own time begins."""


def compose(settings: IntakeSettings) -> Service:
    """Raises BadClinicFile or KeyRingUnusable."""
    clinic = read_clinic(settings.clinic_file)
    store, ring = open_store(settings), open_ring(settings)
    service = Service("intake", settings, migrations=MIGRATIONS)
    database, metrics = service.database, IntakeMetrics(service.registry)
    images = CardImages(store, ring)
    reader = CardReader(timeout_seconds=settings.card_reading_seconds)
    readings = CardReadings(database, images, reader, metrics)
    desk = FrontDesk(
        database, service.clock, clinic, store, ring, Cleaner(store), metrics, places=settings.uploads_at_once
    )

    service.handle(AppointmentBooked, on_appointment_booked)
    service.reach(
        CARD_READING,
        readings.read,
        readings.answered,
        gave_up=readings.gave_up,
        workers=1,  # the reader takes one card at a time
        timeout_seconds=settings.card_reading_seconds + ANSWER_MARGIN_SECONDS,
        tries=3,
    )
    orphan_age = timedelta(minutes=settings.orphan_minutes)
    service.background("sweeper", lambda: keep_swept(store, database.connection, orphan_age, metrics))
    service.background("waiting", lambda: metrics.sample(database))
    service.background("card reader", lambda: _close_at_the_end(reader))

    service.http.include_router(public_pages(desk))
    service.http.include_router(intake_api(desk))
    service.http.include_router(patient_pages(database, images))
    return service


async def _close_at_the_end(reader: CardReader) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await reader.close()


def main() -> None:
    try:
        compose(IntakeSettings()).run()  # pyright: ignore[reportCallIssue]  (from the environment)
    except (BadClinicFile, KeyRingUnusable) as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
