"""Pictures and form bodies for the tests of the intake form, drawn and built on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator, Iterator

import pillow_heif
from PIL import Image, ImageDraw

BOUNDARY = "----stillwater"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def picture(width: int = 640, height: int = 400) -> Image.Image:
    """White with a red corner at the top left, so that its orientation shows."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).rectangle((0, 0, width // 4, height // 4), fill="red")
    return image


def photo(kind: str = "JPEG", *, width: int = 640, height: int = 400, exif: Image.Exif | None = None) -> bytes:
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    picture(width, height).save(file, kind, **({"exif": exif} if exif is not None else {}))
    return file.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises `width` × `height` pixels: a decompression bomb's face."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def form_body(values: dict[str, str | bytes], files: list[tuple[str, str, bytes]] | None = None) -> bytes:
    """A multipart/form-data body: `files` are field, file name and content."""
    parts: list[bytes] = []
    for name, value in values.items():
        content = value.encode() if isinstance(value, str) else value
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content)
    for name, filename, content in files or []:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content)
    delimiter = f"--{BOUNDARY}\r\n".encode()
    return b"".join(delimiter + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


async def in_pieces(body: bytes, step: int = 50_000) -> AsyncIterator[bytes]:
    for piece in _pieces(body, step):
        yield piece


async def repeated(*pieces: tuple[bytes, int]) -> AsyncIterator[bytes]:
    """Each piece as often as told: a large body that is never held in memory."""
    for piece, times in pieces:
        for _ in range(times):
            yield piece


def _pieces(body: bytes, step: int) -> Iterator[bytes]:
    return (body[start : start + step] for start in range(0, len(body), step))
