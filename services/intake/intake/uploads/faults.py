"""What can be wrong with a photograph, in words for the person who sent it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

MEGABYTE: Final = 1024 * 1024
PHOTO_BYTES: Final = 32 * MEGABYTE
"""The largest photograph taken: 32 MB, counted as phones and browsers count it."""

ACCEPTED: Final = "Send a photo as JPEG, PNG, WebP or HEIC, the kinds that phones take."


class CardFault(StrEnum):
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_A_PHOTO = "not_a_photo"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"
    SENT_TWICE = "sent_twice"
    NOT_KEPT = "not_kept"


SENTENCES: Final = {
    CardFault.EMPTY: "This file is empty. Take the photo again, or leave it out.",
    CardFault.TOO_LARGE: "This photo is larger than 32 MB. Take it at a lower quality, or leave it out.",
    CardFault.NOT_A_PHOTO: f"This is not a photo. {ACCEPTED}",
    CardFault.DAMAGED: "This photo is damaged or was cut off on its way. Take or choose it again.",
    CardFault.TOO_MANY_PIXELS: "This picture has more than 50 million pixels. Send a smaller one.",
    CardFault.SENT_TWICE: "Two photos came for this side. Send one.",
    CardFault.NOT_KEPT: "We could not keep this photo just now. Send it again, or leave it out.",
}


class CardRefused(Exception):
    """A photograph is not taken. Nothing of it is kept.

    `found` says what it is instead (`a PDF`), `cause` what happened to us, for the log.
    """

    def __init__(self, fault: CardFault, *, found: str | None = None, cause: str | None = None) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.found = found
        self.cause = cause

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, in one or two sentences."""
        if self.fault is CardFault.NOT_A_PHOTO and self.found is not None:
            return f"This is {self.found}, not a photo. {ACCEPTED}"
        return SENTENCES[self.fault]
