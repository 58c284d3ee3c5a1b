"""A sealed file opens only as it was written: whole, in order, under its own key."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.uploads.sealing import (
    CHUNK_BYTES,
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    SealBroken,
    Sealer,
    new_file_key,
)

KEY = new_file_key()
THREE_CHUNKS = bytes(range(256)) * (3 * CHUNK_BYTES // 256 - 7)


def sealed(clear: bytes, key: bytes = KEY, step: int = 100_000) -> bytes:
    sealer = Sealer(key)
    pieces = [sealer.update(clear[start : start + step]) for start in range(0, len(clear), step)]
    return b"".join(pieces) + sealer.finish()


def opened(file: bytes, key: bytes = KEY, step: int = 100_000) -> bytes:
    opener = Opener(key)
    pieces = [opener.update(file[start : start + step]) for start in range(0, len(file), step)]
    return b"".join(pieces) + opener.finish()


def chunks(file: bytes) -> tuple[bytes, list[bytes]]:
    body = file[HEADER_BYTES:]
    return file[:HEADER_BYTES], [
        body[start : start + SEALED_CHUNK_BYTES] for start in range(0, len(body), SEALED_CHUNK_BYTES)
    ]


@settings(deadline=None, max_examples=40)
@given(
    size=st.one_of(
        st.integers(0, 300),
        st.sampled_from([CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 5]),
    ),
    written=st.integers(1_000, 400_000),
    read=st.integers(1_000, 400_000),
)
def test_what_was_sealed_in_any_pieces_opens_in_any_other_pieces(size: int, written: int, read: int) -> None:
    clear = THREE_CHUNKS[:size]
    assert opened(sealed(clear, step=written), step=read) == clear


def test_nothing_of_the_clear_file_shows() -> None:
    assert THREE_CHUNKS[:64] not in sealed(THREE_CHUNKS)
    assert sealed(THREE_CHUNKS) != sealed(THREE_CHUNKS)


@pytest.mark.parametrize("kept", [0, 5, HEADER_BYTES, HEADER_BYTES + 10])
def test_a_file_cut_off_early_does_not_open(kept: int) -> None:
    with pytest.raises(SealBroken):
        opened(sealed(THREE_CHUNKS)[:kept])


def test_a_file_cut_off_between_two_chunks_does_not_open() -> None:
    header, parts = chunks(sealed(THREE_CHUNKS))
    with pytest.raises(SealBroken):
        opened(header + b"".join(parts[:2]))


def test_chunks_out_of_order_do_not_open() -> None:
    header, parts = chunks(sealed(THREE_CHUNKS))
    with pytest.raises(SealBroken):
        opened(header + parts[1] + parts[0] + parts[2])


def test_a_chunk_from_another_file_does_not_open() -> None:
    header, parts = chunks(sealed(THREE_CHUNKS))
    _, others = chunks(sealed(THREE_CHUNKS))
    with pytest.raises(SealBroken):
        opened(header + parts[0] + others[1] + parts[2])


def test_bytes_after_the_end_do_not_open() -> None:
    with pytest.raises(SealBroken):
        opened(sealed(b"short") + b"x")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        opened(sealed(THREE_CHUNKS), key=new_file_key())


@settings(deadline=None, max_examples=60)
@given(position=st.integers(0, 599), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_noticed(position: int, bit: int) -> None:
    file = bytearray(sealed(b"a card" * 100))
    file[position] ^= 1 << bit
    with pytest.raises(SealBroken):
        opened(bytes(file))
