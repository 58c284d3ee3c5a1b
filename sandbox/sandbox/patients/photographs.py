"""Photos of a person's insurance card, drawn for them.

Drawing needs more memory than all the rest of the sandbox, so the running sandbox has it done by a short-lived
process of its own: `photograph_apart`. Tests and demonstrations call `photograph`.
"""

import asyncio
import base64
import json
import sys
from typing import Any

from sandbox.patients.people import Card
from sandbox.patients.submission import Photos


def photograph(fields: dict[str, str], card: Card, seed: int) -> Photos:
    """Both sides of a card: the front as JPEG, the back as HEIC, as telephones take them."""
    raise NotImplementedError


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
