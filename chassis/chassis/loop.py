"""The event loop that every process runs on: uvloop where there is one, for half the cost of talking to Postgres."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_YOUNG_OBJECTS = 20_000
_OLDER_AFTER = 5
"""Rounds of the younger before a round of the next older. With 20, cycles that grew old while a call outside
was under way stay for a hundred thousand calls, three kilobytes each.
"""


_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_LARGE_BLOCK_BYTES, _FREE_AT_MOST_BYTES = 16 * 1024 * 1024, 64 * 1024 * 1024


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    _reuse_memory()
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


def settle() -> None:
    """Spare the garbage collector what was made at the start and stays: modules, models, routes.

    It looks at young objects after so many new ones; the usual 700 are a few events, and cost a seventh of all time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _OLDER_AFTER, _OLDER_AFTER)


def _reuse_memory() -> None:
    """Batches of a megabyte come and go; what one has left serves the next.

    The C library may else give each back to the system and have the next one's pages cleared again: it learns not to
    by chance, and a relay where it has not takes twice the processor's time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # only glibc has it
        mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
        mallopt(_TRIM_THRESHOLD, _FREE_AT_MOST_BYTES)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        return importlib.import_module("uvloop").new_event_loop
    except ImportError:  # not made for this system
        return None
