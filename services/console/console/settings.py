"""The console's knobs, read from STILLWATER_CONSOLE_… variables."""

from __future__ import annotations

from pathlib import Path

from chassis.pages import LiveSettings
from chassis.settings import settings_for
from console.clinic import OWN_FILE as OWN_CLINIC
from console.following.wording import OWN_FILE as OWN_WORDING


class ConsoleSettings(LiveSettings):
    model_config = settings_for("console")

    clinic_file: Path = OWN_CLINIC
    wording_file: Path = OWN_WORDING
    """What staff read, and how each kind of task is treated: see following/wording.yaml."""
    intake_url: str | None = None
    """Where intake shows the photographs of cards; without it they are not linked."""
    billing_url: str | None = None
    """Where billing shows its worklist; without it there is no link to it."""
