"""Every knob of intake, read from STILLWATER_INTAKE_…"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings, settings_for
from intake.clinic import OWN_FILE


class IntakeSettings(ServiceSettings):
    model_config = settings_for("intake")

    clinic_file: Path = OWN_FILE
    """What the public page tells about the clinic."""

    card_folder: Path
    """Where sealed card images lie."""
    card_store_url: str | None = None
    """A bucket to use instead of the folder: `s3://bucket/prefix`, credentials from the environment."""
    card_keys_file: Path
    """The keys that wrap each image's own key; made where missing, and never inside `card_folder`."""
    public_url: str | None = None
    """Where people reach the public page; for people, not for machines."""

    uploads_at_once: int = Field(default=64, ge=1)
    """Forms with photographs on their way in; beyond it, senders are asked to try again in a minute."""
    orphan_minutes: float = Field(default=60.0, ge=15.0)
    """Images without a row are swept at this age; longer than any upload takes."""
    card_reading_seconds: float = 60.0
    """For both sides of one card, starting the reader included."""
