"""From a file's bytes to an upright picture that is safe to look at."""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS: Final = ("JPEG", "MPO", "PNG", "WEBP", "HEIF")
MOST_PIXELS: Final = 60_000_000
LONGEST_SIDE: Final = 2200


class PictureRefused(Exception):
    """The file is not a picture that a card can be read from; the text says why and may be shown."""


def open_picture(content: bytes) -> Image.Image:
    """The picture in RGB, turned as its EXIF orientation says, its longer side at most 2,200 pixels.

    Told by content, not by name. Raises PictureRefused for anything that is not a whole JPEG, PNG, WebP or HEIC
    picture of at most 60 megapixels.
    """
    import pillow_heif

    pillow_heif.register_heif_opener()
    if not content:
        raise PictureRefused("the file is empty; a JPEG, PNG, WebP or HEIC picture is accepted")
    try:
        with _large_ones_too(), Image.open(io.BytesIO(content), formats=_openable()) as picture:
            _check_size(picture.width, picture.height)
            # JPEG can be decoded at a fraction of its size at once.
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
            return _on_white(upright)
    except PictureRefused:
        raise
    except UnidentifiedImageError:
        raise PictureRefused("this is not a JPEG, PNG, WebP or HEIC picture") from None
    except Image.DecompressionBombError:
        raise PictureRefused(_too_large()) from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, RuntimeError):
        raise PictureRefused("the picture is damaged or cut off; please take it again") from None


@contextmanager
def _large_ones_too() -> Generator[None]:
    """Without Pillow's warning of large pictures, which names its own source line; the limit here is lower."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _openable() -> tuple[str, ...]:
    return tuple(name for name in FORMATS if name != "MPO")


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise PictureRefused(_too_large())
    if min(width, height) < 40:
        raise PictureRefused(f"the picture is only {width} × {height} pixels; at least 40 × 40 are needed")


def _too_large() -> str:
    return f"the picture has more than {MOST_PIXELS // 1_000_000} megapixels; please send a smaller one"


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return picture.convert("RGB")
