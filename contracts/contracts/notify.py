"""What notify says: what people were told, by which channel, and whether it reached them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from contracts.event import PHI, Event, Instant
from contracts.ids import MessageId


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    """A call by a person of the staff: all that is left where nothing else is possible or allowed."""


class MessageSent(Event):
    """The mail server or carrier took a message. One decision to send per purpose and channel."""

    type: ClassVar[str] = "notify.message_sent.v1"
    message_id: MessageId
    purpose: str
    """What the message is for, once per patient: `appointment_booked:<appointment id>:<version>`."""
    template: str
    channel: Channel
    sent_at: Instant


class MessageDelivered(Event):
    """The carrier says that the message reached the phone."""

    type: ClassVar[str] = "notify.message_delivered.v1"
    message_id: MessageId
    channel: Channel


class MessageFailed(Event):
    """A message will not reach its person by this channel; staff must reach them otherwise."""

    type: ClassVar[str] = "notify.message_failed.v1"
    message_id: MessageId
    purpose: str
    template: str
    channel: Channel
    cause: str
    """An error class or the carrier's code; never the message or an address.

    `no_channel`: there is no e-mail address, and no consent to texts; a person has to phone.
    """


class ReplyMeaning(StrEnum):
    STOP = "stop"
    """Wants no more texts: honoured already."""
    START = "start"
    """Wants texts again, having stopped them before."""
    OTHER = "other"
    """For a person to read."""


class ReplyReceived(Event):
    """A person texted the clinic."""

    type: ClassVar[str] = "notify.reply_received.v1"
    channel: Channel
    meaning: ReplyMeaning
    text: Annotated[str, PHI]
    received_at: Instant
