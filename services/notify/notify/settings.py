"""Notify's knobs, read from STILLWATER_NOTIFY_… variables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings, settings_for
from notify.clinic import OWN_FILE


class MailSecurity(StrEnum):
    """How the connection to the mail server is protected."""

    OFFERED = "offered"
    """STARTTLS where the server offers it."""
    STARTTLS = "starttls"
    """STARTTLS, or nothing is sent."""
    TLS = "tls"
    """TLS from the first byte."""


class NotifySettings(ServiceSettings):
    model_config = settings_for("notify")

    clinic_file: Path = OWN_FILE
    """What messages tell about the clinic, and the rules of sending: see clinic.yaml."""
    public_url: str = Field(pattern="^https?://[^/]+.*[^/]$")
    """Where the carrier reaches this service; its signatures cover this URL as the carrier was told it."""

    smtp_host: str
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: MailSecurity = MailSecurity.OFFERED
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_seconds: float = Field(default=15, gt=0)
    """How long the mail server may take for one step."""
    mail_tries: int = Field(default=60, ge=1)
    """About four and a half hours; then a person has to reach the patient."""

    carrier_url: str
    """Base of the Twilio-compatible API, without the version."""
    carrier_account: str
    carrier_token: SecretStr
    """Password of the API, and key of the signatures on the carrier's callbacks."""
    carrier_seconds: float = Field(default=15, gt=0)
    """How long the carrier may take for one answer."""
    text_tries: int = Field(default=30, ge=1)
    """About two hours."""

    text_settles_seconds: float = Field(default=60, gt=0)
    """Clinic time. The carrier mostly tells within seconds what became of a text; after so long it is asked, and again
    after twice as long each time."""

    seconds_per_send: float = Field(default=30, gt=0)
    """How long sending one message may take in all before it counts as not done."""
    senders: int = Field(default=4, ge=1)
    """Messages of one channel under way at once."""
