"""`python -m scheduling`: settings → clinic → handlers → pages."""

from __future__ import annotations

import sys
from pathlib import Path

from chassis.service import Service
from contracts.intake import RiskFlagged, Submitted
from scheduling.booking.api import appointments
from scheduling.booking.handlers import TRY_AGAIN, Booking
from scheduling.booking.metrics import BookingMetrics
from scheduling.clinic import BadClinicFile, load_clinic
from scheduling.settings import SchedulingSettings

MIGRATIONS = Path(__file__).with_name("migrations")


def compose(settings: SchedulingSettings) -> Service:
    """Raises BadClinicFile."""
    clinic = load_clinic(settings.clinic_file)
    service = Service("scheduling", settings, migrations=MIGRATIONS)
    booking = Booking(clinic, BookingMetrics(service.registry))

    service.handle(Submitted, booking.on_submitted)
    service.handle(RiskFlagged, booking.on_risk_flagged)
    service.on_timer(TRY_AGAIN, booking.on_try_again)

    service.http.include_router(appointments(service.database, clinic, service.clock))
    return service


def main() -> None:
    try:
        compose(SchedulingSettings()).run()  # pyright: ignore[reportCallIssue]  (from the environment)
    except BadClinicFile as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
