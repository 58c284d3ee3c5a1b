"""A multipart form read as a stream: values are kept, files are passed on piece by piece.

The framework's own reader spools large files to a clear temporary file, so it is not used. Memory is bounded
by the limits below, whatever is sent. RFC 7578.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

SLICE_BYTES: Final = 64 * 1024
"""The parser gets no more than this at a time, so that the loop serves others in between."""


@dataclass(frozen=True, slots=True)
class FormLimits:
    """How much is taken. Sizes in bytes, times in seconds."""

    body_bytes: int = 160 * 1024 * 1024
    """Larger than what is accepted, so that most who send too much are told beside the field."""
    parts: int = 40
    value_bytes: int = 16 * 1024
    headers_per_part: int = 8
    header_bytes: int = 2 * 1024
    silence_seconds: float = 30.0
    """Between two pieces of the body."""
    body_seconds: float = 600.0


class FormUnreadable(Exception):
    """The body as a whole cannot be taken. Holds an HTTP status and a sentence for the sender."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class PartReceiver(Protocol):
    """Takes the bytes of one file part, in order."""

    async def write(self, clear: bytes) -> None: ...
    async def finish(self) -> None: ...


Receive = Callable[[str, bool], PartReceiver]
"""Called where a file begins, with its field's name and whether a file was chosen at all: a browser sends a file
input that was left empty as a part with an empty file name and no bytes."""


@dataclass(slots=True)
class FormValues:
    """What the form held besides files. A field sent twice counts with its last value."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    unusable: set[str] = field(default_factory=set[str])
    """Names of fields that held more than is taken, or text that is not UTF-8; they have no value."""


@dataclass(slots=True)
class _Part:
    """A part whose headers were read: a file if a receiver takes it, otherwise a value."""

    name: str
    receiver: PartReceiver | None
    value: bytearray = field(default_factory=bytearray)
    too_long: bool = False


_Headers = dict[str, bytes]
_Token = _Headers | bytes | None


class _Tokens:
    """What the parser finds in one slice: a dict of headers begins a part, bytes are its body, None ends it."""

    def __init__(self, boundary: bytes, limits: FormLimits) -> None:
        self.found: list[_Token] = []
        self.complete = False
        self._headers: _Headers = {}
        self._name = b""
        self._value = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_began,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ended,
                "on_headers_finished": self._headers_ended,
                "on_part_data": self._data,
                "on_part_end": self._part_ended,
                "on_end": self._end,
            },
            max_header_count=limits.headers_per_part,
            max_header_size=limits.header_bytes,
        )

    def feed(self, piece: bytes) -> list[_Token]:
        self.found = []
        self._parser.write(piece)
        return self.found

    def _part_began(self) -> None:
        self._headers = {}

    def _header_name(self, piece: bytes, start: int, end: int) -> None:
        self._name += piece[start:end]

    def _header_value(self, piece: bytes, start: int, end: int) -> None:
        self._value += piece[start:end]

    def _header_ended(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def _headers_ended(self) -> None:
        self.found.append(self._headers)

    def _data(self, piece: bytes, start: int, end: int) -> None:
        self.found.append(piece[start:end])

    def _part_ended(self) -> None:
        self.found.append(None)

    def _end(self) -> None:
        self.complete = True


async def read_multipart(
    body: AsyncIterator[bytes],
    content_type: str,
    receive: Receive,
    limits: FormLimits | None = None,
) -> FormValues:
    """Read a whole form; raises FormUnreadable. What receivers hold then is the caller's to discard."""
    limits = limits or FormLimits()
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _Reading(_boundary(content_type), receive, limits).read(body)
    except TimeoutError:
        raise FormUnreadable(408, "The form took too long to arrive. Try again, or call us.") from None
    except FormParserError:
        raise FormUnreadable(400, "The form arrived damaged. Go back and send it again.") from None


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise FormUnreadable(400, "A multipart/form-data body needs a boundary in its Content-Type.")
    return boundary


class _Reading:
    """One form on its way in."""

    def __init__(self, boundary: bytes, receive: Receive, limits: FormLimits) -> None:
        self._tokens = _Tokens(boundary, limits)
        self._receive = receive
        self._limits = limits
        self._form = FormValues()
        self._part: _Part | None = None
        self._parts = 0

    async def read(self, body: AsyncIterator[bytes]) -> FormValues:
        taken = 0
        while (piece := await self._next(body)) is not None:
            taken += len(piece)
            if taken > self._limits.body_bytes:
                raise FormUnreadable(413, "That is more than this form can take. Send smaller photos.")
            for start in range(0, len(piece), SLICE_BYTES):
                await self._take(piece[start : start + SLICE_BYTES])
        if not self._tokens.complete:
            raise FormUnreadable(400, "The form arrived only in part. Go back and send it again.")
        return self._form

    async def _next(self, body: AsyncIterator[bytes]) -> bytes | None:
        async with asyncio.timeout(self._limits.silence_seconds):
            return await anext(body, None)

    async def _take(self, piece: bytes) -> None:
        for token in self._tokens.feed(piece):
            if isinstance(token, dict):
                self._part = self._begin(token)
            elif isinstance(token, bytes):
                await self._append(token)
            else:
                await self._end()

    def _begin(self, headers: _Headers) -> _Part:
        self._parts += 1
        if self._parts > self._limits.parts:
            raise FormUnreadable(400, f"The form has more than {self._limits.parts} fields.")
        disposition = headers.get("content-disposition", b"").decode("latin-1")
        _, options = parse_options_header(disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if not name:
            raise FormUnreadable(400, "A part of the form has no field name.")
        is_file = b"filename" in options
        return _Part(name, self._receive(name, bool(options[b"filename"])) if is_file else None)

    async def _append(self, piece: bytes) -> None:
        part = self._part
        if part is None:
            return
        if part.receiver is not None:
            await part.receiver.write(piece)
        elif len(part.value) + len(piece) > self._limits.value_bytes:
            part.too_long = True
        else:
            part.value += piece

    async def _end(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        if part.receiver is not None:
            await part.receiver.finish()
            return
        try:
            value = None if part.too_long else part.value.decode()
        except UnicodeDecodeError:
            value = None
        if value is None:
            self._form.unusable.add(part.name)
        else:
            self._form.values[part.name] = value
