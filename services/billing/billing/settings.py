"""Every knob of billing, with its unit and default."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from billing import clinic
from billing.benefits import services
from billing.payers import directory
from chassis.pages import LiveSettings
from chassis.settings import settings_for


class BillingSettings(LiveSettings):
    model_config = settings_for("billing")

    gateway_url: str
    """Where real-time questions go: one POST in the CAQH CORE envelope each. https, unless on this machine."""
    gateway_username: str | None = None
    gateway_password: SecretStr | None = None
    gateway_sender: str = "STILLWATER"
    """SenderID of the envelope, as agreed with the clearinghouse."""
    gateway_ca_file: str | None = None
    """Certificates to trust beside the system's, in PEM."""
    ask_timeout_seconds: float = Field(default=20.0, gt=0)
    """How long a payer's answer is waited for, unless the payers file says otherwise for it."""

    webhooks_to_loopback: bool = False
    """Admit webhooks on this machine, without TLS: for trying things out."""

    console_url: str | None = None
    """Where the console shows its live page; without it the worklist has no link to it."""

    clinic_file: Path = clinic.OWN_FILE
    payers_file: Path = directory.OWN_FILE
    services_file: Path = services.OWN_FILE

    @field_validator("gateway_url")
    @classmethod
    def _is_private(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
            return url
        raise ValueError("should be https://…: questions name people; http is for this machine alone")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
