"""Structured logs: one JSON object a line on stderr, stamped by the machine's clock.

Only ids and codes belong here. An exception is written as its class and the places it passed through, never its
text, and a library's message without what was filled into it: both may hold what a patient said.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_LEVELS: Final = {"uvicorn.error": logging.INFO, "uvicorn.access": logging.CRITICAL + 1}
"""The access log of uvicorn writes whole URLs; the HTTP layer has a request line of its own."""

_LOUD: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "faststream", "faststream.access.kafka")
"""Loggers that come with handlers of their own."""

_MOST_FRAMES: Final = 12
_MOST_CAUSES: Final = 5


class _Process:
    """Whose lines these are, and which packages are our own code."""

    service = "stillwater"
    packages = frozenset({"contracts", "chassis"})


def start_logging(service: str, *, level: int = logging.INFO) -> None:
    """Name the service in each line, and send all that libraries and the interpreter say the same way."""
    _Process.service = service
    _Process.packages = frozenset({"contracts", "chassis", service})
    for name in _LOUD:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name, least in _LEVELS.items():
        logging.getLogger(name).setLevel(least)
    root = logging.getLogger()
    root.handlers = [_Library()]
    root.setLevel(max(level, logging.WARNING))
    sys.excepthook = lambda _class, error, _trace: _last_words(error)
    sys.unraisablehook = lambda unraisable: _last_words(unraisable.exc_value)
    threading.excepthook = lambda failure: _last_words(failure.exc_value)


def fault_of(error: BaseException) -> dict[str, Any]:
    """An exception without its text: class, places (`billing/x12/reader.py:88`), SQLSTATE, and what led to it."""
    chain = [error]
    while len(chain) < _MOST_CAUSES and (earlier := _earlier(chain[-1])) is not None:
        chain.append(earlier)
    fault: dict[str, Any] = {"error": _class_of(error), "at": _places(error.__traceback__)}
    for name in ("sqlstate", "constraint_name"):
        if isinstance(value := getattr(error, name, None), str):
            fault[name] = value
    if isinstance(error, BaseExceptionGroup):
        members = cast("BaseExceptionGroup[BaseException]", error).exceptions
        fault["members"] = [fault_of(member) for member in members[:_MOST_CAUSES]]
    if chain[1:]:
        fault["because"] = [{"error": _class_of(cause), "at": _places(cause.__traceback__)} for cause in chain[1:]]
    return fault


def _earlier(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _class_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _places(trace: TracebackType | None) -> list[str]:
    """Where it passed through our own code, and where it was raised; innermost last."""
    places: list[str] = []
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__package__") or "").partition(".")[0]
        if package in _Process.packages or trace.tb_next is None:
            file = Path(trace.tb_frame.f_code.co_filename)
            start = len(file.parts) - 1 - file.parts[::-1].index(package) if package in file.parts else -1
            places.append(f"{'/'.join(file.parts[start:])}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-_MOST_FRAMES:]


def _last_words(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        logger.critical("unhandled", exc_info=error)


class _Library(logging.Handler):
    """What libraries log, by our rules. Some set their loggers' levels back whenever they start: the rule is here."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= _LEVELS.get(record.name, logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if record.exc_info and record.exc_info[1] is not None:
                # Such messages tend to be made of the exception's own text.
                event, error = f"{record.module}.{record.funcName}", record.exc_info[1]
            else:
                event, error = _unfilled(record), None
            logger.log(record.levelno, event, logger=record.name, exc_info=error)
        except Exception:
            # The default for a handler that fails prints the record's message.
            logger.error("log_record_lost", logger=record.name)


def _unfilled(record: logging.LogRecord) -> str:
    """The first line of a message, only with numbers filled in."""
    lines = str(record.msg).splitlines() or [""]
    given = record.args
    if not given:
        return lines[0]
    shown = {k: _masked(v) for k, v in given.items()} if isinstance(given, Mapping) else tuple(map(_masked, given))
    try:
        return (str(record.msg) % shown).splitlines()[0]
    except (TypeError, ValueError, KeyError):
        return lines[0]


def _masked(value: object) -> object:
    return value if value is None or isinstance(value, (int, float)) else _Mask(f"<{type(value).__name__}>")


class _Mask(str):
    """Looks the same under `%s` and `%r`."""

    __slots__ = ()
    __repr__ = str.__str__


def _name_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["service"] = _Process.service
    return event


def _strip_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    raised = event.pop("exc_info", None)
    if isinstance(raised, tuple):
        raised = cast("tuple[object, ...]", raised)[1]
    elif raised is not None and not isinstance(raised, BaseException):
        raised = sys.exc_info()[1] if raised else None
    if isinstance(raised, BaseException):
        event["fault"] = fault_of(raised)
    return event


def _unfit(value: object) -> str:
    """What JSON cannot say is named, not shown: its text is not ours to judge."""
    if isinstance(value, BaseException):
        return _class_of(value)
    return str(value) if isinstance(value, UUID) else f"<{type(value).__name__}>"


class _Stderr:
    """Writes to whatever stderr is at that moment."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    log = debug = info = warning = error = critical = exception = fatal = msg


logger = cast(
    "FilteringBoundLogger",
    structlog.wrap_logger(
        _Stderr(),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _name_service,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _strip_exception,
            structlog.processors.JSONRenderer(serializer=json.dumps, default=_unfit),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        context_class=dict,
    ),
)
"""`logger.info("card_read", intake_id=…)`: an event's name, then ids and codes."""
