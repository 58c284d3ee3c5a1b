"""`python -m notify`: settings → clinic and wording → handlers → senders → pages."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from chassis.service import Service
from contracts.billing import CoverageInactive, CoverageUndetermined, CoverageVerified, VerificationNeedsStaff
from contracts.intake import CardRead, ConsentRecorded, CoverageReported, PatientRegistered, RiskFlagged, Submitted
from contracts.notify import Channel
from contracts.scheduling import AppointmentBooked, AppointmentRescheduled
from notify.clinic import BadClinicFile, load_clinic
from notify.messages.api import messages
from notify.messages.callbacks import callbacks
from notify.messages.carrier import Carrier
from notify.messages.fates import TEXT_FATE, Fates
from notify.messages.handlers import Hearing
from notify.messages.mail import MailServer
from notify.messages.metrics import MessageMetrics
from notify.messages.replies import load_reply_words
from notify.messages.sending import TEXT_UNSETTLED, Sending
from notify.messages.telling import CARD_SETTLED, TEXT_ALLOWED, Telling
from notify.messages.wording import Wording
from notify.settings import NotifySettings

MIGRATIONS = Path(__file__).with_name("migrations")


def compose(settings: NotifySettings) -> Service:
    """Raises BadClinicFile."""
    clinic = load_clinic(settings.clinic_file)
    wording = Wording(clinic)
    service = Service("notify", settings, migrations=MIGRATIONS)
    metrics = MessageMetrics(service.registry)
    telling = Telling(clinic, wording.templates, metrics)
    hearing = Hearing(telling)
    mail = MailServer(settings, clinic)
    carrier = Carrier(settings, clinic.texts.from_number)
    settles = timedelta(seconds=settings.text_settles_seconds)
    sending = Sending(service.database, service.clock.now, clinic, wording, mail, carrier, telling, metrics, settles)
    fates = Fates(service.database, sending, carrier)

    service.handle(PatientRegistered, hearing.on_registered)
    service.handle(ConsentRecorded, hearing.on_consent)
    service.handle(Submitted, hearing.on_submitted)
    service.handle(RiskFlagged, hearing.on_risk_flagged)
    service.handle(CardRead, hearing.on_card_read)
    service.handle(CoverageReported, hearing.on_coverage_reported)
    service.handle(AppointmentBooked, hearing.on_booked)
    service.handle(AppointmentRescheduled, hearing.on_booked)
    service.handle(CoverageVerified, hearing.on_verified)
    service.handle(CoverageInactive, hearing.on_inactive)
    service.handle(CoverageUndetermined, hearing.on_undetermined)
    service.handle(VerificationNeedsStaff, hearing.on_needs_staff)

    service.on_timer(CARD_SETTLED, telling.on_card_settled)
    service.on_timer(TEXT_ALLOWED, telling.on_text_allowed)
    service.on_timer(TEXT_UNSETTLED, fates.on_unsettled)

    for channel, tries in ((Channel.EMAIL, settings.mail_tries), (Channel.SMS, settings.text_tries)):
        service.reach(
            channel,
            sending.call,
            sending.answered,
            gave_up=sending.gave_up,
            workers=settings.senders,
            timeout_seconds=settings.seconds_per_send,
            tries=tries,
        )

    service.reach(TEXT_FATE, fates.call, fates.answered, gave_up=fates.gave_up, workers=2, tries=3)

    service.http.include_router(messages(service.database))
    service.http.include_router(callbacks(service.database, carrier, fates, telling, load_reply_words(), metrics))
    return service


def main() -> None:
    try:
        compose(NotifySettings()).run()  # pyright: ignore[reportCallIssue]  (from the environment)
    except BadClinicFile as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
