"""The keys that wrap each file's own key. They live in one small file, away from images and database.

Whoever has the images and the database but not this file can read no image. Rotating wraps the file keys
anew and touches no image.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, model_validator

from intake.uploads.sealing import SealBroken

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
GRACE: Final = timedelta(days=1)
"""A replaced key is kept this long at least: a running service may have wrapped with it a moment ago."""


class KeyRingUnusable(Exception):
    """The key file is missing, unsafe or damaged. The text says what to do."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A file's key as it may be stored: readable only with the key named `key_id`."""

    key_id: str
    wrapped: bytes = field(repr=False)


class _Key(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    secret: str
    made_at: AwareDatetime
    replaced_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _is_256_bits(self) -> _Key:
        if len(self.bytes) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        return self

    @property
    def bytes(self) -> bytes:
        return b64decode(self.secret, validate=True)


class _Ring(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    active: str
    keys: dict[str, _Key]

    @model_validator(mode="after")
    def _active_is_there(self) -> _Ring:
        if self.active not in self.keys:
            raise ValueError("the active key is not among the keys")
        return self


class KeyRing:
    """Reads the key file anew whenever it changed, so a rotation needs no restart."""

    def __init__(self, path: Path, *, image_folder: Path | None) -> None:
        """Makes the file, mode 0600, where there is none. Raises KeyRingUnusable."""
        self._path = path.absolute()
        if image_folder is not None and self._path.resolve().is_relative_to(image_folder.resolve()):
            raise KeyRingUnusable(
                f"{self._path} lies inside the folder of the card images: "
                "keep the keys elsewhere (STILLWATER_INTAKE_CARD_KEYS_FILE)"
            )
        if not self._path.exists():
            _create(self._path, _first_ring())
        self._read_at: tuple[int, int] | None = None
        self._ring = self._load()

    def wrap(self, file_key: bytes, *, name: str) -> WrappedKey:
        """`name` is the stored file's: a wrapped key opens no other."""
        ring = self._load()
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(ring.keys[ring.active].bytes).encrypt(nonce, file_key, name.encode())
        return WrappedKey(ring.active, nonce + sealed)

    def unwrap(self, key: WrappedKey, *, name: str) -> bytes:
        """Raises KeyRingUnusable where the key is gone, SealBroken where it does not fit."""
        ring = self._load()
        if key.key_id not in ring.keys:
            raise KeyRingUnusable(f"key {key.key_id} is not in {self._path}: restore it from its safe copy")
        nonce, sealed = key.wrapped[:NONCE_BYTES], key.wrapped[NONCE_BYTES:]
        try:
            return AESGCM(ring.keys[key.key_id].bytes).decrypt(nonce, sealed, name.encode())
        except (InvalidTag, ValueError):
            raise SealBroken("a wrapped file key does not open") from None

    def rewrap(self, key: WrappedKey, *, name: str) -> WrappedKey:
        """The same file key under the active key."""
        return self.wrap(self.unwrap(key, name=name), name=name)

    @property
    def active(self) -> str:
        return self._load().active

    def rotate(self) -> str:
        """A new active key; the old ones still open what they wrapped. Returns the new key's id."""
        with _alone(self._path):
            ring = self._load()
            now = datetime.now(UTC)
            ring.keys[ring.active].replaced_at = now
            ring.active = _add_key(ring.keys, now)
            self._replace(ring)
            return ring.active

    def retire(self, in_use: frozenset[str]) -> list[str]:
        """Forget keys replaced more than a day ago that wrap nothing any more. Returns their ids."""
        with _alone(self._path):
            ring = self._load()
            until = datetime.now(UTC) - GRACE
            gone = [
                key_id
                for key_id, key in ring.keys.items()
                if key_id not in in_use and key.replaced_at is not None and key.replaced_at < until
            ]
            for key_id in gone:
                del ring.keys[key_id]
            if gone:
                self._replace(ring)
            return gone

    def _load(self) -> _Ring:
        try:
            state = self._path.stat()
        except OSError as error:
            raise KeyRingUnusable(f"{self._path} cannot be read: {error.strerror}") from None
        if self._read_at == (state.st_mtime_ns, state.st_ino):
            return self._ring
        if stat.S_IMODE(state.st_mode) & 0o077:
            raise KeyRingUnusable(f"others may read {self._path}: run chmod 600 {self._path}")
        try:
            self._ring = _Ring.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            raise KeyRingUnusable(f"{self._path} is damaged: restore it from its safe copy") from None
        self._read_at = (state.st_mtime_ns, state.st_ino)
        return self._ring

    def _replace(self, ring: _Ring) -> None:
        draft = _write_draft(self._path, ring)
        draft.replace(self._path)
        _sync_folder(self._path)


def _first_ring() -> _Ring:
    keys: dict[str, _Key] = {}
    return _Ring(active=_add_key(keys, datetime.now(UTC)), keys=keys)


def _add_key(keys: dict[str, _Key], now: datetime) -> str:
    key_id = f"{now:%Y%m%d}-{secrets.token_hex(4)}"
    keys[key_id] = _Key(secret=b64encode(secrets.token_bytes(KEY_BYTES)).decode(), made_at=now)
    return key_id


def _create(path: Path, ring: _Ring) -> None:
    """Of several that start at once, the first one's keys stand: a hard link replaces nothing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _write_draft(path, ring)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _sync_folder(path)


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """One process at a time changes the ring: of two at once, one would lose the other's new key."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_draft(path: Path, ring: _Ring) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(ring.model_dump(mode="json"), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
