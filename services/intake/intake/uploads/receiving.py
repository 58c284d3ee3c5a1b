"""A form with photographs, received in a stream: values kept, each photograph sealed as it arrives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from obstore.exceptions import BaseError

from intake.uploads.faults import PHOTO_BYTES, CardFault, CardRefused
from intake.uploads.kinds import HEAD_BYTES, described, photo_kind
from intake.uploads.multipart import FormLimits, FormUnreadable, FormValues, PartReceiver, read_multipart
from intake.uploads.storage import RAW, CardStore, SealedFile, SealedWriter


class PhotoReceiver:
    """Seals one photograph piece by piece. What is refused is read to its end and forgotten, so that the rest
    of the form still arrives."""

    def __init__(self, store: CardStore, *, most_bytes: int = PHOTO_BYTES) -> None:
        self._store = store
        self._most_bytes = most_bytes
        self._head = bytearray()
        self._size = 0
        self._digest = sha256()
        self._writer: SealedWriter | None = None
        self.sealed: SealedFile | None = None
        self.refused: CardRefused | None = None

    async def write(self, clear: bytes) -> None:
        self._size += len(clear)
        if self.refused is not None:
            return
        if self._size > self._most_bytes:
            await self.refuse(CardRefused(CardFault.TOO_LARGE))
            return
        self._digest.update(clear)
        async with self._kept():
            if self._writer is not None:
                await self._writer.write(clear)
            else:
                self._head += clear
                if len(self._head) >= HEAD_BYTES:
                    await self._judge_head()

    async def finish(self) -> None:
        if self.refused is not None:
            return
        if self._size == 0:
            self.refused = CardRefused(CardFault.EMPTY)
            return
        async with self._kept():
            if self._writer is None:
                await self._judge_head()
            if self._writer is not None:
                self.sealed = await self._writer.finish()

    @property
    def digest(self) -> bytes:
        """SHA-256 of the clear bytes, to tell a repeated form from another one."""
        return self._digest.digest()

    async def refuse(self, reason: CardRefused) -> None:
        """Keep nothing of this photograph."""
        self.refused = reason
        self.sealed = None
        if self._writer is not None:
            writer, self._writer = self._writer, None
            await writer.discard()

    @asynccontextmanager
    async def _kept(self) -> AsyncGenerator[None]:
        """A store that fails costs the photograph, not the person's request for help."""
        try:
            yield
        except (BaseError, OSError) as error:
            await self.refuse(CardRefused(CardFault.NOT_KEPT, cause=type(error).__name__))

    async def _judge_head(self) -> None:
        head = bytes(self._head)
        self._head.clear()
        if photo_kind(head) is None:
            self.refused = CardRefused(CardFault.NOT_A_PHOTO, found=described(head))
            return
        self._writer = self._store.create(RAW)
        await self._writer.write(head)


class _Ignored:
    """A file input left empty, or a second photograph where there is one already."""

    async def write(self, clear: bytes) -> None:
        del clear

    async def finish(self) -> None:
        return


@dataclass(slots=True)
class ReceivedForm:
    """A form as sent. Photographs are raw and sealed; whoever takes it over deletes them."""

    fields: FormValues = field(default_factory=FormValues)
    photos: dict[str, SealedFile] = field(default_factory=dict[str, SealedFile])
    refused: dict[str, CardRefused] = field(default_factory=dict[str, CardRefused])
    digests: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """SHA-256 of each photograph as sent."""


async def receive_form(
    body: AsyncIterator[bytes],
    content_type: str,
    *,
    photo_fields: Collection[str],
    store: CardStore,
    limits: FormLimits | None = None,
) -> ReceivedForm:
    """Read a multipart form whose files are photographs. Raises FormUnreadable; then nothing is left in store."""
    receivers: dict[str, PhotoReceiver] = {}
    twice: set[str] = set()

    def receive(name: str, chosen: bool) -> PartReceiver:
        if not chosen:
            return _Ignored()
        if name not in photo_fields:
            raise FormUnreadable(400, f"Photos belong in the fields {' and '.join(photo_fields)}.")
        if name in receivers:
            twice.add(name)
            return _Ignored()
        receivers[name] = PhotoReceiver(store)
        return receivers[name]

    try:
        fields = await read_multipart(body, content_type, receive, limits)
        for name in twice:
            await receivers[name].refuse(CardRefused(CardFault.SENT_TWICE))
    except BaseException:
        for receiver in receivers.values():
            await receiver.refuse(CardRefused(CardFault.NOT_KEPT))
        raise
    return ReceivedForm(
        fields=fields,
        photos={name: r.sealed for name, r in receivers.items() if r.sealed is not None},
        refused={name: r.refused for name, r in receivers.items() if r.refused is not None},
        digests={name: r.digest for name, r in receivers.items()},
    )
