"""Scheduling's knobs, read from STILLWATER_SCHEDULING_… variables."""

from __future__ import annotations

from pathlib import Path

from chassis.settings import ServiceSettings, settings_for
from scheduling.clinic import OWN_FILE


class SchedulingSettings(ServiceSettings):
    model_config = settings_for("scheduling")

    clinic_file: Path = OWN_FILE
    """Clinicians, rooms, hours and rules of booking: see clinic.yaml."""
