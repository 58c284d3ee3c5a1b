"""The decoding process: a photograph on standard input, a clean JPEG on standard output.

`python -m intake.uploads.redraw PIXELS LONG_SIDE QUALITY MEMORY_BYTES SECONDS`; its exit code is 0, or one of
REFUSALS. It writes no file, and a crash leaves no core.
"""

from __future__ import annotations

import io
import resource
import sys
from typing import Final

import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

REFUSALS: Final = {"damaged": 10, "too_many_pixels": 11}

FORMATS: Final = ("JPEG", "PNG", "WEBP", "HEIF")
"""JPEG stands for MPO too, a JPEG with more pictures behind it, as many phones take them: the first counts."""


class Refused(Exception):
    """Ends the process with the exit code of this name."""


def limit_self(memory_bytes: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def redraw(photo: bytes, *, pixels: int, long_side: int, quality: int) -> bytes:
    """The same picture, upright, at most `long_side` long, as a JPEG without metadata. Raises Refused."""
    try:
        with Image.open(io.BytesIO(photo), formats=FORMATS) as image:
            if image.width * image.height > pixels:
                raise Refused("too_many_pixels")
            if image.format in ("JPEG", "MPO"):
                image.draft("RGB", (long_side, long_side))  # decodes at a fraction, in a fraction of the memory
            image.load()
            image.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=None)
            upright = _on_white(ImageOps.exif_transpose(image))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, RuntimeError):
        raise Refused("damaged") from None
    clean = io.BytesIO()
    upright.save(clean, "JPEG", quality=quality, exif=b"", icc_profile=None)
    return clean.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    """Opaque RGB; what shows through a transparent picture is white, as paper is."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    paper = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(paper, layer).convert("RGB")


def main() -> None:
    Image.MAX_IMAGE_PIXELS = None  # judged by `redraw`, on the header, before anything is decoded
    pillow_heif.register_heif_opener()
    pixels, long_side, quality, memory_bytes, seconds = map(int, sys.argv[1:])
    limit_self(memory_bytes, seconds)
    try:
        clean = redraw(sys.stdin.buffer.read(), pixels=pixels, long_side=long_side, quality=quality)
    except Refused as refused:
        sys.exit(REFUSALS[str(refused)])
    except MemoryError:
        sys.exit(REFUSALS["too_many_pixels"])
    sys.stdout.buffer.write(clean)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
