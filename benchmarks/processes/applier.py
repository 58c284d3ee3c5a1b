"""A service with one handler of one statement, for the benchmarks of applying. Settings in the environment."""

import asyncio
import os
from datetime import date
from pathlib import Path

from chassis.outside import OutsideTask
from chassis.service import Service
from chassis.settings import ServiceSettings, settings_for
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.ids import new_intake_id
from contracts.intake import PatientRegistered
from contracts.scheduling import AssessmentUnplaced

COUNT = """
INSERT INTO tally (patient, events) VALUES ($1, 1) ON CONFLICT (patient) DO UPDATE SET events = tally.events + 1
"""
FAILS = "nobody"
_NOTE = "INSERT INTO applied (patient, sequence, by) VALUES ($1, $2, $3)"


class ApplierSettings(ServiceSettings):
    model_config = settings_for("applier")

    says: bool = False
    """Write down each event with its sequence and this process, and say one for it."""
    outside: str = ""
    """Ask the outside world for each event: `answers` at once, or `hangs`."""
    pause_seconds: float = 0
    """What a slow database adds to each event."""


class Applier:
    """The handler, and the outside world that it asks."""

    def __init__(self, settings: ApplierSettings) -> None:
        self._settings = settings

    async def count(self, tx: Transaction, event: PatientRegistered, about: Envelope) -> None:
        if event.name == FAILS:
            raise ValueError(FAILS)
        if self._settings.pause_seconds:
            await asyncio.sleep(self._settings.pause_seconds)
        await tx.connection.execute(COUNT, about.subject)
        if self._settings.outside:
            await tx.ask_outside("payer", about.id, {}, subject=about.subject)
        if self._settings.says:
            await tx.connection.execute(_NOTE, about.subject, about.sequence, os.getpid())
            said = AssessmentUnplaced(intake_id=new_intake_id(), searched_until=date.max, trying_again_at=tx.now)
            tx.emit(said, subject=about.subject)

    async def call(self, task: OutsideTask) -> None:
        if self._settings.outside == "hangs":
            await asyncio.Event().wait()

    async def answered(self, tx: Transaction, task: OutsideTask, answer: None) -> None: ...

    async def gave_up(self, tx: Transaction, task: OutsideTask, cause: str) -> None: ...


def compose() -> Service:
    settings = ApplierSettings()  # type: ignore[call-arg]
    applier = Applier(settings)
    # Only a service with a stream of its own has a relay.
    name = "scheduling" if settings.says else "applier"
    service = Service(name, settings, migrations=Path(__file__).with_name("no_migrations"))
    service.handle(PatientRegistered, applier.count)
    if settings.outside:
        service.reach("payer", applier.call, applier.answered, gave_up=applier.gave_up, timeout_seconds=600)
    return service


if __name__ == "__main__":
    compose().run()
