"""Photos of a person's insurance card, drawn for them.

Drawing needs more memory than all the rest of the sandbox, so the running sandbox has it done by a short-lived
process of its own: `photograph_apart`. Tests and demonstrations call `photograph`.
"""

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox import cards
from sandbox.patients.people import Card
from sandbox.patients.submission import Photos

if TYPE_CHECKING:
    from PIL.Image import Image

_Photograph = Callable[["Image", int], "Image"]

_FRONT: dict[Card, _Photograph] = {
    "clear": partial(cards.photograph, long_side=1400),
    "unreadable": partial(cards.photograph, long_side=1400, blur=14.0, noise=60.0),
}
"""A shaken photo in the dark is one that nobody reads."""

# Smaller and in better light, because noise is what HEIC takes seconds to encode.
_BACK: dict[Card, _Photograph] = {
    "clear": partial(cards.photograph, long_side=1200, noise=6.0),
    "unreadable": partial(cards.photograph, long_side=1200, noise=6.0, blur=14.0),
}

_TELEPHONE_QUALITY = 50
"""Of HEIC, where 100 is all that can be kept: about what telephones store."""


def photograph(fields: dict[str, str], card: Card, seed: int) -> Photos:
    """Both sides of a card, slightly turned and noisy: the front as JPEG, the back as HEIC, as telephones take them.

    `fields` are a person's `card_fields`. Raises KeyError for a layout that is not there.
    """
    printed = cards.CardFields(
        payer=fields["payer"],
        member_id=fields["member_id"],
        group=fields["group"],
        holder=fields["holder"],
        others={"plan": fields["plan"]},
    )
    sides = cards.draw_card(printed, fields["layout"], seed)
    front, back = _FRONT[card](sides[0], seed), _BACK[card](sides[1], seed + 1)
    return {
        "card_front": ("card-front.jpg", cards.encode(front, "JPEG"), "image/jpeg"),
        "card_back": ("card-back.heic", cards.encode(back, "HEIF", quality=_TELEPHONE_QUALITY), "image/heic"),
    }


async def photograph_apart(fields: dict[str, str], card: Card, seed: int) -> Photos:
    """As `photograph`, in another process. Raises RuntimeError when that fails."""
    asked = json.dumps({"fields": fields, "card": card, "seed": seed}).encode()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox.patients.photographs",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        drawn, _ = await process.communicate(asked)
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError(f"drawing a card ended with {process.returncode}")
    answer: dict[str, list[str]] = json.loads(drawn)
    return {name: (file, base64.b64decode(content), kind) for name, (file, content, kind) in answer.items()}


def _main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    photos = photograph(**asked)
    answer = {name: [file, base64.b64encode(content).decode(), kind] for name, (file, content, kind) in photos.items()}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main()
