"""Stored cards as clear images: in memory, for whoever may see them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from intake.card_reading.store import CardRow
from intake.uploads.keyring import KeyRing
from intake.uploads.storage import CardStore, SealedFile


@dataclass(frozen=True, slots=True)
class CardImages:
    store: CardStore
    ring: KeyRing

    def stream(self, card: CardRow) -> AsyncGenerator[bytes]:
        """The JPEG piece by piece, each proven. Raises KeyRingUnusable or SealBroken at once, or the latter and
        FileNotFoundError while reading."""
        return self.store.read(SealedFile(card.object, self.ring.unwrap(card.key, name=card.object), card.size))

    async def whole(self, card: CardRow) -> bytes:
        """The JPEG, a few megabytes at most."""
        return b"".join([piece async for piece in self.stream(card)])
