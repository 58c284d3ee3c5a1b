"""Where sealed images lie: a folder here, a bucket elsewhere. Nothing clear ever reaches it.

An object appears only once it is whole; a database row makes it count. What no row names is swept.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from intake.uploads.sealing import CHUNK_BYTES, SEALED_CHUNK_BYTES, Opener, Sealer, new_file_key

RAW: Final = "raw"
"""As uploaded; lives for seconds."""
CARDS: Final = "cards"
"""Cleaned and kept."""

LOCAL_BUFFER_BYTES: Final = 256 * 1024
BUCKET_BUFFER_BYTES: Final = 5 * 1024 * 1024
"""The smallest part that S3 takes in a multipart upload."""
SWEEP_BATCH: Final = 500
RECENT_DAYS: Final = 8

_STAGED = re.compile(r"#\d+$")
"""A local file being written ends in `#` and a number until it is whole."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """An object in the store and the key that opens it."""

    name: str
    key: bytes = field(repr=False)
    size: int
    """Of the clear file, in bytes."""


class SealedWriter:
    """Writes one object. Until `finish` returns there is nothing to be seen in the store."""

    def __init__(self, store: ObjectStore, name: str, buffer_bytes: int) -> None:
        self.name = name
        self._store = store
        self._key = new_file_key()
        self._sealer = Sealer(self._key)
        self._size = 0
        self._target = obstore.open_writer_async(store, name, buffer_size=buffer_bytes, max_concurrency=1)
        self._finished = False

    async def write(self, clear: bytes) -> None:
        self._size += len(clear)
        if sealed := self._sealer.update(clear):
            await self._target.write(sealed)

    async def finish(self) -> SealedFile:
        await self._target.write(self._sealer.finish())
        await self._target.close()
        self._finished = True
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            await asyncio.to_thread(_sync, Path(self._store.prefix) / self.name)
        return SealedFile(self.name, self._key, self._size)

    async def discard(self) -> None:
        """Leave nothing behind. Letting go of an unfinished writer removes what it had staged (a bucket
        forgets the parts by its rule for aborted multipart uploads)."""
        if self._finished:
            await obstore.delete_async(self._store, self.name)
        else:
            del self._target


class CardStore:
    """All sealed images of a clinic."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._local = Path(store.prefix) if isinstance(store, LocalStore) and store.prefix else None
        self._buffer_bytes = LOCAL_BUFFER_BYTES if self._local else BUCKET_BUFFER_BYTES

    @classmethod
    def at(cls, place: Path | str) -> CardStore:
        """A folder, or the URL of a bucket (`s3://bucket/prefix`, credentials from the environment)."""
        if isinstance(place, str) and "://" in place:
            return cls(from_url(place))
        folder = Path(place)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(LocalStore(folder))

    def create(self, folder: str) -> SealedWriter:
        """A new object under a random name in today's part of `folder`."""
        name = f"{folder}/{datetime.now(UTC):%Y-%m-%d}/{secrets.token_hex(16)}"
        return SealedWriter(self._store, name, self._buffer_bytes)

    async def read(self, file: SealedFile) -> AsyncGenerator[bytes]:
        """The clear bytes, in pieces of at most 256 KiB, each proven before it is handed out.

        Raises SealBroken, or FileNotFoundError where there is no such object.
        """
        opener = Opener(file.key)
        found = await obstore.get_async(self._store, file.name)
        async for sealed in found.stream(min_chunk_size=SEALED_CHUNK_BYTES):
            for start in range(0, len(sealed), CHUNK_BYTES):
                if clear := opener.update(bytes(sealed[start : start + CHUNK_BYTES])):
                    yield clear
        yield opener.finish()

    async def delete(self, *names: str) -> None:
        """Names that are not there are no error."""
        for name in names:
            try:
                await obstore.delete_async(self._store, name)
            except FileNotFoundError:
                continue

    async def sweep(
        self,
        *,
        older_than: timedelta,
        known: Callable[[Collection[str]], Awaitable[set[str]]],
        days: int | None = RECENT_DAYS,
    ) -> int:
        """Delete what a killed process left: old objects that `known` does not name. Returns how many.

        Looks at the last `days` only, so that its work does not grow with the years; at everything where None.
        `known` is asked about at most 500 names at a time. Ages are the machine's, not the clinic's.
        """
        now = datetime.now(UTC)
        before = now - older_than
        swept = 0
        for folder in _day_folders(now, days):
            if self._local is not None:
                swept += await asyncio.to_thread(_sweep_staged, self._local / folder, before)
            async for found in self._store.list(folder, chunk_size=SWEEP_BATCH):
                old = [item["path"] for item in found if item["last_modified"] < before]
                orphans = set(old) - (await known(old) if old else set())
                await self.delete(*orphans)
                swept += len(orphans)
        return swept


def _day_folders(now: datetime, days: int | None) -> list[str]:
    if days is None:
        return [RAW, CARDS]
    return [f"{folder}/{now - timedelta(days=day):%Y-%m-%d}" for folder in (RAW, CARDS) for day in range(days)]


def _sweep_staged(folder: Path, before: datetime) -> int:
    """The store's own listing leaves out files that were never finished."""
    staged = [path for path in folder.rglob("*#*") if _STAGED.search(path.name)]
    old = [path for path in staged if path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _sync(path: Path) -> None:
    """A row must never outlive the image that it names: force both file and name to disk."""
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
