"""What is sealed opens only whole, only here, and only with the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.seal import Seal, SealBroken

KEY = "a key for sealing records in tests, 32+"
SEAL = Seal(KEY)


@given(clear=st.binary(max_size=300), context=st.binary(max_size=50))
def test_what_was_sealed_opens_again(clear: bytes, context: bytes):
    assert SEAL.open(SEAL.seal(clear, context=context), context=context) == clear


def test_the_same_content_never_looks_the_same():
    assert SEAL.seal(b"Ophelia", context=b"") != SEAL.seal(b"Ophelia", context=b"")


@given(at=st.integers(min_value=0, max_value=35), bit=st.integers(min_value=0, max_value=7))
def test_a_changed_bit_is_noticed(at: int, bit: int):
    sealed = bytearray(SEAL.seal(b"Ophelia", context=b"row 1"))
    sealed[at] ^= 1 << bit
    with pytest.raises(SealBroken):
        SEAL.open(bytes(sealed), context=b"row 1")


@given(length=st.integers(min_value=0, max_value=35))
def test_a_cut_is_noticed(length: int):
    with pytest.raises(SealBroken):
        SEAL.open(SEAL.seal(b"Ophelia", context=b"")[:length], context=b"")


def test_what_is_moved_to_another_row_does_not_open():
    with pytest.raises(SealBroken):
        SEAL.open(SEAL.seal(b"Ophelia", context=b"row 1"), context=b"row 2")


def test_another_key_does_not_open_it():
    with pytest.raises(SealBroken):
        Seal(KEY + "!").open(SEAL.seal(b"Ophelia", context=b""), context=b"")


def test_a_short_key_seals_nothing():
    with pytest.raises(ValueError, match="at least 32"):
        Seal("short")
