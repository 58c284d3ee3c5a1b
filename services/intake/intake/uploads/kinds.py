"""What a file is, told by its first bytes. Its name and declared type say nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import puremagic

HEAD_BYTES: Final = 512
"""So many first bytes are enough to tell."""

_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""ISO/IEC 23008-12, annex B and clause 10: HEVC images and the brands that contain them."""

_OTHER_KINDS: Final = {
    "application/pdf": "a PDF",
    "image/gif": "a GIF",
    "image/tiff": "a TIFF",
    "image/svg+xml": "a drawing (SVG)",
    "image/bmp": "a bitmap (BMP)",
    "text/html": "a web page",
    "video/mp4": "a video",
    "video/quicktime": "a video",
    "application/zip": "an archive",
}
_PROGRAMS: Final = (b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""Windows, Linux, scripts, macOS."""


class PhotoKind(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"


def photo_kind(head: bytes) -> PhotoKind | None:
    """The kind of photograph that begins with `head`, or None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return PhotoKind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PhotoKind.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PhotoKind.WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return PhotoKind.HEIC
    return None


def described(head: bytes) -> str | None:
    """What else it is, for an error message (`a PDF`, `a program`), or None where that is not known."""
    if head.startswith(_PROGRAMS):
        return "a program"
    try:
        candidates = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    return next((_OTHER_KINDS[c.mime_type] for c in candidates if c.mime_type in _OTHER_KINDS), None)
