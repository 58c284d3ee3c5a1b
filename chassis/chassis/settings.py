"""The knobs that every service has."""

from __future__ import annotations

from datetime import datetime

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def settings_for(service: str) -> SettingsConfigDict:
    """Configuration that reads `STILLWATER_<SERVICE>_…` from the environment."""
    return SettingsConfigDict(
        env_prefix=f"STILLWATER_{service.upper()}_", hide_input_in_errors=True, populate_by_name=True
    )


def _shared(name: str) -> AliasChoices:
    """A knob that all services share is read from `STILLWATER_<NAME>`."""
    return AliasChoices(name, f"STILLWATER_{name.upper()}")


class ServiceSettings(BaseSettings):
    """Every knob of the chassis, with its unit and default."""

    database_url: SecretStr
    """`postgresql://role:password@host:port/database`; the role's search_path is the service's schema."""
    host: str = "127.0.0.1"
    port: int = 0
    pool_size: int = Field(default=8, ge=2)
    """Database connections at most."""

    kafka: str = Field(validation_alias=_shared("kafka"))
    """Bootstrap servers, `host:port[,host:port…]`."""
    topic_prefix: str = Field(default="", validation_alias=_shared("topic_prefix"))
    """In front of every topic and group, so that several houses can share one cluster."""

    token_key: SecretStr = Field(validation_alias=_shared("token_key"))
    """Signs and checks bearer tokens; at least 32 characters."""
    seal_key: SecretStr = Field(validation_alias=_shared("seal_key"))
    """Seals what must not lie in the clear in the database; at least 32 characters."""

    clock_speed: float = Field(default=1.0, gt=0, validation_alias=_shared("clock_speed"))
    """Clinic seconds in a machine second."""
    clock_origin: datetime | None = Field(default=None, validation_alias=_shared("clock_origin"))
    """The machine instant at which clinic time equalled machine time; the same for all processes of a house."""

    lanes: int = Field(default=16, ge=1)
    """Keys handled at once by a consumer."""
    lane_backlog: int = Field(default=2_000, ge=1)
    """Records held by a consumer before its partitions pause."""
    lane_backlog_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    """The same in bytes of their bodies."""
    commit_interval_seconds: float = 0.2
    session_seconds: float = Field(default=6.0, ge=1)
    """How soon the broker gives a silent consumer's partitions to another; its own least is usually 6."""
    stall_seconds: float = Field(default=8.0, gt=0)
    """A consumer that should make progress and has made none for so long replaces its client."""
    relay_batch_rows: int = 900
    """Rows of one shard published in a round. More wait longer for one another; fewer cost more statements a row."""
    lease_seconds: float = Field(default=6.0, gt=0)
    """Term of a relay's lease on a shard."""
    retry_first_seconds: float = 0.5
    retry_longest_seconds: float = 300.0
    retry_tries: int = 12
    """How often a parked record or timer is tried before it waits for a person."""
    inbox_days: int = Field(default=120, gt=90)
    """Must exceed the topic's retention of 90 days: a replay must find what was applied."""
    outside_task_days: int = Field(default=90, ge=1)
    """After so long an ended outside task keeps that it was decided, and loses what it said."""
    answer_days: int = Field(default=7, ge=1)
    """How long a request may be repeated with its Idempotency-Key and get its first answer."""
    retention_interval_seconds: float = Field(default=600.0, gt=0)
    """How often old rows are looked for."""
    drain_seconds: float = 8.0
    """How long a graceful stop waits for work under way."""
