"""Points on an event's way at which a trial may kill this process, to see that nothing is lost or doubled there.

In a clinic `reached` does nothing. In a trial `STILLWATER_KILL_POINTS` names a file that says `<point> <passages>`;
the process that passes that point for the last of so many times ends as by SIGKILL.
"""

from __future__ import annotations

import mmap
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

VARIABLE: Final = "STILLWATER_KILL_POINTS"

POINTS: Final = {
    "begin": "a transaction has begun and nothing is decided",
    "before_commit": "what was said is in the outbox, and not committed",
    "after_commit": "committed, and the relay not woken",
    "after_wake": "the relay is woken, and has published nothing",
    "before_publish": "rows are read from the outbox, and not handed to the producer",
    "after_publish": "a batch is handed over, and not acknowledged",
    "after_acknowledge": "the broker has it, and the outbox still has it",
    "after_delete": "the outbox has forgotten it",
    "after_apply": "a record is applied, and its lane does not know",
    "before_offsets": "records are finished, and their offsets not committed",
    "after_offsets": "the offsets are committed",
    "before_renewal": "the relay's leases are about to be renewed",
    "after_renewal": "the relay's leases are renewed",
    "before_call": "an outside task is leased, and nobody was called",
    "after_call": "the outside world has acted, and nothing says so",
    "after_record": "what the outside world did is recorded",
}
"""Every point, with what has happened there and what has not."""

_SIZE: Final = 64


def arm(file: Path, point: str = "", passages: int = 1) -> None:
    """Have whoever watches this file killed at its next `passages`-th passage of a point; at none without one."""
    if point and point not in POINTS:
        raise ValueError(f"there is no point {point!r}; there are {', '.join(POINTS)}")
    page = _page(point, passages) if point else bytes(_SIZE)
    with file.open("r+b" if file.exists() else "w+b") as opened:  # in place: a watcher has it mapped
        opened.write(page)


def armed(file: Path) -> bool:
    """Whether a point is still waited for."""
    return bool(file.read_bytes().strip(b"\0"))


def _page(point: str, passages: int) -> bytes:
    return f"{point} {passages}".encode().ljust(_SIZE, b"\0")


def _watching(file: Path) -> Callable[[str], None]:
    with file.open("r+b") as opened:
        page = mmap.mmap(opened.fileno(), _SIZE)

    def reached(point: str) -> None:
        name, _, left = page[:].rstrip(b"\0").partition(b" ")
        if name != point.encode():
            return
        if int(left) > 1:
            page[:] = _page(point, int(left) - 1)
        else:
            page[:] = bytes(_SIZE)
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _nothing(point: str) -> None:
    """Off."""


reached: Callable[[str], None] = _watching(Path(_file)) if (_file := os.environ.get(VARIABLE)) else _nothing
"""Says that this process has come to a point."""
