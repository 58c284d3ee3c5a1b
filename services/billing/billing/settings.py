"""Every knob of billing, with its unit and default."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from billing import clinic
from billing.benefits import services
from billing.payers import directory
from chassis.pages import LiveSettings
from chassis.settings import settings_for


class BillingSettings(LiveSettings):
    model_config = settings_for("billing")

    gateway_url: str
    """Where real-time questions go: one POST in the CAQH CORE envelope each."""
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
