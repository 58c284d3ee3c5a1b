"""A form arrives in any pieces and is read the same; what is not a form is refused in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.uploads.multipart import FormLimits, FormUnreadable, FormValues, read_multipart
from tests.intake.photographs import BOUNDARY, FORM_TYPE, form_body, in_pieces, repeated


class Collected:
    def __init__(self) -> None:
        self.content = bytearray()
        self.finished = False

    async def write(self, clear: bytes) -> None:
        self.content += clear

    async def finish(self) -> None:
        self.finished = True


async def read(
    body: AsyncIterator[bytes], limits: FormLimits | None = None, content_type: str = FORM_TYPE
) -> tuple[FormValues, dict[str, Collected]]:
    files: dict[str, Collected] = {}
    form = await read_multipart(body, content_type, lambda name, _: files.setdefault(name, Collected()), limits)
    return form, files


TRICKY = [b"\r\n", b"--", f"\r\n--{BOUNDARY[:-1]}".encode(), f"--{BOUNDARY}".encode(), b"\r", b"\n", b"\x00\xff"]


@settings(deadline=None, max_examples=120)
@given(
    content=st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(TRICKY)), max_size=12).map(b"".join),
    reason=st.text(max_size=60),
    step=st.integers(1, 97),
)
async def test_pieces_of_any_size_make_the_same_form(content: bytes, reason: str, step: int) -> None:
    if f"\r\n--{BOUNDARY}".encode() in b"\r\n" + content:
        return
    body = form_body({"name": "Zoë Ångström", "reason": reason}, [("card_front", "c.jpg", content)])
    form, files = await read(in_pieces(body, step))
    assert form.values == {"name": "Zoë Ångström", "reason": reason}
    assert bytes(files["card_front"].content) == content
    assert files["card_front"].finished


@settings(deadline=None, max_examples=100)
@given(garbage=st.binary(max_size=300))
async def test_garbage_is_refused_in_words(garbage: bytes) -> None:
    with pytest.raises(FormUnreadable) as refusal:
        await read(in_pieces(garbage, 50))
    assert refusal.value.status == 400


@settings(deadline=None, max_examples=60)
@given(kept=st.floats(0, 0.99))
async def test_a_form_cut_off_anywhere_is_refused(kept: float) -> None:
    body = form_body({"name": "Ada"}, [("card_front", "c.jpg", b"x" * 500)])
    end = len(body) - len("--\r\n")
    with pytest.raises(FormUnreadable):
        await read(in_pieces(body[: int(end * kept)]))


async def test_a_body_above_the_limit_is_refused_while_it_still_arrives() -> None:
    start = form_body({}, [("card_front", "c.jpg", b"")]).split(b"\r\n--")[0]
    with pytest.raises(FormUnreadable) as refusal:
        await read(repeated((start, 1), (b"x" * 65_536, 100)), FormLimits(body_bytes=1_000_000))
    assert refusal.value.status == 413


async def test_a_value_above_the_limit_is_left_out_and_named() -> None:
    form, _ = await read(in_pieces(form_body({"reason": "x" * 20_000, "name": "Ada"})))
    assert form.unusable == {"reason"}
    assert form.values == {"name": "Ada"}


async def test_a_value_that_is_not_utf8_is_left_out_and_named() -> None:
    form, _ = await read(in_pieces(form_body({"reason": b"\xff\xfe", "name": "Ada"})))
    assert form.unusable == {"reason"}


async def test_too_many_fields_are_refused() -> None:
    with pytest.raises(FormUnreadable, match="more than 40 fields"):
        await read(in_pieces(form_body({f"field{number}": "x" for number in range(41)})))


async def test_endless_part_headers_are_refused() -> None:
    start = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="'.encode()
    with pytest.raises(FormUnreadable):
        await read(repeated((start, 1), (b"n" * 1_000, 100)))


async def test_a_part_without_a_name_is_refused() -> None:
    body = f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode()
    with pytest.raises(FormUnreadable, match="no field name"):
        await read(in_pieces(body))


@pytest.mark.parametrize("content_type", ["multipart/form-data", "text/plain; boundary=x", ""])
async def test_a_body_without_a_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(FormUnreadable, match="boundary"):
        await read(in_pieces(b""), content_type=content_type)


async def test_a_sender_who_falls_silent_is_let_go() -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield form_body({"name": "Ada"})[:30]
        await asyncio.Event().wait()

    with pytest.raises(FormUnreadable) as refusal:
        await read(silent(), FormLimits(silence_seconds=0.01))
    assert refusal.value.status == 408
