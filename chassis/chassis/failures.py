"""Whose fault is it? A record's own failure parks it; a failure of what we stand on is waited out."""

from __future__ import annotations

import traceback

import asyncpg
from pydantic import ValidationError

_INFRASTRUCTURE_CLASSES = ("08", "40", "53", "57", "58")
"""SQLSTATE classes: connection, rollback (deadlock, serialization), resources, operator, system."""


def is_infrastructure(error: BaseException) -> bool:
    """True where the same work may well succeed later without anybody changing it."""
    if isinstance(error, asyncpg.PostgresError):
        return str(getattr(error, "sqlstate", "")).startswith(_INFRASTRUCTURE_CLASSES)
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # those are our own arguments, refused before they were sent
    return isinstance(error, OSError)


def cause_of(error: BaseException) -> str:
    """What went wrong, as a class and a place. Never the error's text: it may hold what a patient said."""
    if isinstance(error, ValidationError):
        faults = error.errors(include_input=False, include_context=False)
        fields = sorted({".".join(str(part) for part in fault["loc"]) for fault in faults})
        return f"ValidationError at {', '.join(fields)}"[:500]
    frames = list(traceback.walk_tb(error.__traceback__))  # extract_tb would look each one's file up on the disk
    place = f" at {frames[-1][0].f_code.co_name}:{frames[-1][1]}" if frames else ""
    sqlstate = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' {sqlstate}' if sqlstate else ''}{place}"
