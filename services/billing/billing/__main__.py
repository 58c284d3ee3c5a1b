"""`python -m billing`: settings → clinic and payers → handlers → questions to each payer → pages."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from billing.benefits.services import BadServicesFile, load_services
from billing.clinic import BadClinicFile, load_clinic
from billing.eligibility.api import eligibility
from billing.eligibility.feed import coverage_feed
from billing.eligibility.telling import Telling
from billing.engines.api import engines
from billing.payers.directory import BadPayersFile, load_payers
from billing.payers.gateway import Gateway
from billing.payers.watch import Watch
from billing.settings import BillingSettings
from billing.verification.api import coverages
from billing.verification.asking import Questions
from billing.verification.benefits_api import benefits_api
from billing.verification.by_hand import ByHand
from billing.verification.causes_now import CausesNow
from billing.verification.checking import Checking
from billing.verification.concluding import ASK_AGAIN, CHANGED, CHECK_AT_TURN, TELL
from billing.verification.handlers import ENGINE_AWAITED, VISIT_AWAITED, Verifying, destination
from billing.verification.metrics import VerificationMetrics
from billing.verification.planning import CHECK_BEFORE_VISIT
from billing.worklist.case_pages import case_pages
from billing.worklist.list_pages import list_pages
from billing.worklist.rendering import Desk
from chassis.pages import Live
from chassis.service import Service
from contracts.intake import CoverageReported, PatientRegistered
from contracts.scheduling import AppointmentBooked, AppointmentRescheduled

MIGRATIONS = Path(__file__).with_name("migrations")
WAIT_FOR_TURN_SECONDS = 30.0
"""Beyond a payer's own time: for a question that waits because of the payer's limit a second."""


def compose(settings: BillingSettings) -> Service:
    """Raises BadClinicFile, BadPayersFile or BadServicesFile."""
    clinic, directory = load_clinic(settings.clinic_file), load_payers(settings.payers_file)
    catalogue = load_services(settings.services_file)
    service = Service("billing", settings, migrations=MIGRATIONS, pages=True)
    metrics = VerificationMetrics(service.registry)
    watch = Watch(service.database, service.clock.now, settings.clock_speed, wake=CHANGED)
    gateway = Gateway(settings, watch)
    verifying = Verifying(clinic, directory)
    checking = Checking(clinic, directory, verifying)
    questions = Questions(service.database, service.clock.now, clinic, directory, catalogue, gateway, metrics)

    service.handle(PatientRegistered, verifying.on_registered)
    service.handle(CoverageReported, verifying.on_reported)
    service.handle(AppointmentBooked, verifying.on_booked)
    service.handle(AppointmentRescheduled, verifying.on_booked)
    service.on_timer(VISIT_AWAITED, verifying.on_visit_awaited)
    service.on_timer(ASK_AGAIN, verifying.on_ask_again)
    service.on_timer(CHECK_BEFORE_VISIT, checking.on_check_before_visit)
    service.on_timer(CHECK_AT_TURN, checking.on_check_at_turn)
    service.on_timer(ENGINE_AWAITED, questions.on_engine_awaited)

    for payer in directory:
        service.reach(
            destination(payer.id),
            questions.call,
            questions.answered,
            gave_up=questions.gave_up,
            unapplied=questions.gave_up,
            workers=payer.at_once,
            timeout_seconds=gateway.seconds(payer) + WAIT_FOR_TURN_SECONDS,
            tries=5,
        )
    telling = Telling(service.database, loopback=settings.webhooks_to_loopback)
    service.reach(TELL, telling.call, telling.answered, gave_up=telling.gave_up, workers=4, tries=8)
    service.background("verifications open", lambda: metrics.sample(service.database, service.clock.now))
    service.background("payers watched", watch.keep)
    service.background("gateway", lambda: _close_at_the_end(gateway))
    service.background("webhooks", lambda: _close_at_the_end(telling))

    by_hand = ByHand(directory, verifying)
    service.http.include_router(coverages(service.database, directory, by_hand, CausesNow(clinic, service.clock.now)))
    service.http.include_router(benefits_api(service.database, by_hand))
    service.http.include_router(eligibility(service.database, clinic, directory, verifying))
    service.http.include_router(coverage_feed(service.database))
    service.http.include_router(engines(service.database, directory, questions))
    live = Live(service.database, settings, service.stopping, wake=CHANGED)
    service.background("live", live.run)
    desk = Desk.of(clinic, service.clock, directory, settings.console_url)
    service.http.include_router(list_pages(service.database, desk, live))
    service.http.include_router(case_pages(service.database, desk, live, by_hand))
    return service


async def _close_at_the_end(outside: Gateway | Telling) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await outside.close()


def main() -> None:
    try:
        compose(BillingSettings()).run()  # pyright: ignore[reportCallIssue]  (from the environment)
    except (BadClinicFile, BadPayersFile, BadServicesFile) as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
