"""Every knob of the sandbox, read from STILLWATER_SANDBOX_… variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Ports of 0 mean any free one; the ready line tells which."""

    model_config = SettingsConfigDict(env_prefix="STILLWATER_SANDBOX_", env_file=None)

    port: int = Field(default=8090, ge=0, le=65535)
    smtp_port: int = Field(default=2525, ge=0, le=65535)
    seed: int = 1

    intake_url: str = ""
    """Where the public form is; empty means that no patient comes."""
    patients_per_minute: float = Field(default=0, ge=0, le=600)

    payer_username: str = ""
    """With a name set, the gateway refuses questions that carry no matching credentials."""
    payer_password: str = ""
    payer_questions_kept: int = Field(default=20_000, ge=1)
    payer_members_kept: int = Field(default=200_000, ge=1)

    carrier_account: str = "AC00000000000000000000000000000001"
    carrier_token: str = "sandbox-carrier-token"  # noqa: S105  opens nothing but the sandbox
    carrier_callback_secret: str = ""
    """Key of X-Twilio-Signature; empty means the account's token, which is what Twilio signs with."""
    carrier_inbound_url: str = ""
    """Where the carrier posts what people text back."""
    carrier_delivery_seconds: float = Field(default=0.3, ge=0, le=60)
    """From accepting a message to its delivery; `sent` is reported half-way."""
    carrier_handles_opt_out: bool = True
    """Twilio's default: a bare STOP is confirmed and enforced by the carrier itself."""
    carrier_messages_kept: int = Field(default=20_000, ge=1)

    mailbox_messages_kept: int = Field(default=5_000, ge=1)
    mailbox_bytes_kept: int = Field(default=16_000_000, ge=1)

    @property
    def callback_key(self) -> str:
        return self.carrier_callback_secret or self.carrier_token
