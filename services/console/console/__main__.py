"""`python -m console`: settings → words → what follows the streams → pages."""

from __future__ import annotations

import sys
from pathlib import Path

from chassis.pages import Live
from chassis.service import Service
from console.clinic import BadClinicFile, read_clinic
from console.following.handlers import CHANGED, TASK_ENDS, Following
from console.following.wording import BadWordingFile, read_wording
from console.metrics import Delay, OpenTaskMetrics
from console.settings import ConsoleSettings
from console.showing.api import console_api
from console.showing.marking import marking
from console.showing.pages import console_pages
from console.showing.person import Desk
from console.showing.rendering import Templates
from console.showing.views import Views
from contracts.registry import EVENT_TYPES

MIGRATIONS = Path(__file__).with_name("migrations")


def compose(settings: ConsoleSettings) -> Service:
    """Raises BadClinicFile or BadWordingFile."""
    clinic, wording = read_clinic(settings.clinic_file), read_wording(settings.wording_file)
    service = Service("console", settings, migrations=MIGRATIONS, pages=True)
    database, seal = service.database, service.database.seal
    delay = Delay(service.registry)
    following = Following(seal, wording.rules, service.clock, delay)

    for event in EVENT_TYPES.values():
        service.handle(event, following.on_event)
    service.on_timer(TASK_ENDS, following.on_task_ends)

    live = Live(database, settings, service.stopping, wake=CHANGED)
    service.background("live", live.run)
    service.background("open tasks", OpenTaskMetrics(service.registry, database).sample)

    desk = Desk(service.clock, Views(wording), seal, delay)
    templates = Templates(clinic, wording, settings.intake_url, settings.billing_url)
    service.http.include_router(console_pages(database, desk, templates, live))
    service.http.include_router(console_api(database, desk))
    service.http.include_router(marking(database, wording.rules, templates))
    return service


def main() -> None:
    try:
        compose(ConsoleSettings()).run()  # pyright: ignore[reportCallIssue]  (from the environment)
    except (BadClinicFile, BadWordingFile) as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
