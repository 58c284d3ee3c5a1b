"""What every event type is made of."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

PHI: Final[FieldInfo] = Field(repr=False, json_schema_extra={"x-phi": True})
"""Marks a field as protected health information: `Annotated[str, PHI]`.

A marked field is left out of every repr, and nothing may write it to a log, metric, span, URL, record key or
error text.
"""

PrivateText = Annotated[str, PHI]
Instant = AwareDatetime


class Value(BaseModel):
    """A part of an event. Unknown fields are ignored, so an older reader takes a newer writer's event."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Event(Value):
    """Something that happened, named in the past tense.

    `type` is `<stream>.<name>.v<version>`. A type only ever gains optional fields; anything else is a new
    version published beside the old one. Who or what it is about is the envelope's subject, not a field.
    """

    type: ClassVar[str]

    @classmethod
    def topic(cls) -> str:
        """The Kafka topic that carries this type: one topic for each service."""
        return f"{cls.type.partition('.')[0]}.events"
