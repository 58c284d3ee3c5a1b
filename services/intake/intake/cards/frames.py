"""What is said over the pipe between the reader and the process that reads.

A question is two lengths (unsigned, 32 bits, big-endian; the back's is 0 without one) and the two files' bytes.
An answer is one such length and JSON: ``{"fields": [...]}``, or ``{"refused": why}`` if a file is no picture.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO, cast

from intake.cards.model import FIELD_NAMES, CardReading, ReadField

LENGTHS = struct.Struct(">II")
LENGTH = struct.Struct(">I")
LONGEST_ANSWER = 64 * 1024


def question(front: bytes, back: bytes | None) -> tuple[bytes, bytes, bytes]:
    """The parts of a question, to be written one after another."""
    return LENGTHS.pack(len(front), len(back or b"")), front, back or b""


def read_question(stream: BinaryIO) -> list[bytes] | None:
    """The files of the next question, or None when there are no more. Raises EOFError if it breaks off."""
    head = stream.read(LENGTHS.size)
    if not head:
        return None
    if len(head) < LENGTHS.size:
        raise EOFError
    files = [stream.read(length) for length in LENGTHS.unpack(head) if length]
    if sum(map(len, files)) < sum(LENGTHS.unpack(head)):
        raise EOFError
    return files or [b""]


def answer(content: dict[str, object]) -> bytes:
    """One answer as a frame."""
    body = json.dumps(content).encode()
    return LENGTH.pack(len(body)) + body


def reading_of(content: dict[str, Any]) -> CardReading:
    """The reading in an answer. Raises KeyError, TypeError or ValueError if it is none."""
    fields = cast("list[dict[str, Any]]", content["fields"])
    return CardReading(
        tuple(
            ReadField(field["name"], str(field["value"]), float(field["confidence"]))
            for field in fields
            if field["name"] in FIELD_NAMES
        )
    )
