"""The console's knobs, read from STILLWATER_CONSOLE_… variables."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings, settings_for
from console.clinic import OWN_FILE as OWN_CLINIC
from console.following.wording import OWN_FILE as OWN_WORDING


class ConsoleSettings(ServiceSettings):
    model_config = settings_for("console")

    clinic_file: Path = OWN_CLINIC
    wording_file: Path = OWN_WORDING
    """What staff read, and how each kind of task is treated: see following/wording.yaml."""
    intake_url: str | None = None
    """Where intake shows the photographs of cards; without it they are not linked."""

    live_interval_seconds: float = Field(default=0.5, ge=0.1)
    """Open pages are brought up to date at most this often."""
    live_refresh_seconds: float = Field(default=5.0, ge=0.5)
    """And at least this often: times pass, and another replica may have heard something."""
    live_viewers: int = Field(default=200, ge=1)
    """Open pages at once in one process."""
    live_minutes: float = Field(default=15.0, gt=0)
    """A page's stream ends after this, and its browser signs in anew by itself."""
