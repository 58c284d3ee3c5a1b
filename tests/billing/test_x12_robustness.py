"""Whatever happens to a file on its way, reading ends in an answer, in time that grows with the file and no faster."""

import json
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.x12 import codes, read, segments
from billing.x12.as_json import file_json
from billing.x12.loops import SHARED
from billing.x12.records import File
from tests.billing.x12_accounts import not_once, texts, untold
from tests.billing.x12_samples import ACTIVE, HEADER, SAMPLES, SUBSCRIBER, interchange, isa, joined, transaction

SEGMENT_IDS = [*SHARED, "EB", "AAA", "HSD", "MSG", "LS", "LE", "EQ", "GS", "GE", "ISA", "IEA", "TA1"]
SEGMENT_IDS += ["AK1", "AK2", "IK3", "CTX", "IK4", "IK5", "AK9"]
CODES = ["20", "21", "22", "23", "1", "2", "271", "270", "999", "IL", "03", "PR", "1P", "D8", "RD8"]
NAMES = sorted(SAMPLES)
SHUFFLES = 100


def answered(raw: bytes) -> File:
    """The file read and shown, with nothing left out, nothing twice, and each problem where it stands in the file."""
    file, found = read(raw), segments(raw)
    shown = file_json(file)
    json.dumps(shown)
    assert "" not in texts(shown)
    assert untold(shown, found) == []
    assert not_once(file, found) == []
    most = len(found) or raw.count(b"~") + raw.count(b"\n") + 2
    holders = [file, *file.interchanges, *(found for holder in file.interchanges for found in holder.transactions)]
    for holder in holders:
        for problem in holder.problems:
            assert problem.code in codes.PROBLEMS
            assert 1 <= problem.position <= max(most, 1)
    return file


def has_problems(file: File) -> bool:
    return bool(file.problems) or any(
        found.problems or any(inner.problems for inner in found.transactions) for found in file.interchanges
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_file_is_told_whole(name: str) -> None:
    assert not has_problems(answered(joined(SAMPLES[name])))


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_told(name: str) -> None:
    raw = joined(SAMPLES[name])
    for length in range(len(raw)):
        assert has_problems(answered(raw[:length])), length


@pytest.mark.parametrize("name", NAMES)
def test_flipped_bytes_never_stop_the_reader_and_nothing_is_left_out(name: str) -> None:
    raw = joined(SAMPLES[name])
    chance = random.Random(name)
    for at in range(len(raw)):
        for wrong in (raw[at] ^ 1 << chance.randrange(8), chance.randrange(256), chance.choice(b"*~^:\n")):
            answered(raw[:at] + bytes([wrong]) + raw[at + 1 :])


@pytest.mark.parametrize("name", NAMES)
def test_each_byte_of_the_isa_may_be_any_separator(name: str) -> None:
    raw = joined(SAMPLES[name])
    for at in range(110):
        for wrong in b"*~:^A \n\x00":
            answered(raw[:at] + bytes([wrong]) + raw[at + 1 :])


@pytest.mark.parametrize("name", NAMES)
def test_shuffled_segments_never_stop_the_reader_and_none_is_lost(name: str) -> None:
    chance = random.Random(name)
    for _ in range(SHUFFLES):
        opening, *rest = SAMPLES[name]
        chance.shuffle(rest)
        answered(joined([opening, *rest]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(raw: bytes) -> None:
    answered(raw)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.builds(
            "*".join,
            st.lists(
                st.one_of(
                    st.sampled_from(SEGMENT_IDS + CODES),
                    st.text(alphabet="A10^:.-/ ", max_size=9),
                ),
                max_size=18,
            ),
        ),
        max_size=30,
    )
)
def test_any_segments_get_an_answer(parts: list[str]) -> None:
    answered(joined([isa(), *parts]))


def seconds(raw: bytes) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        read(raw)
        best = min(best, time.process_time() - begun)
    return best


def long_answer(times: int) -> bytes:
    return joined(interchange(transaction([*HEADER, *SUBSCRIBER, *ACTIVE * times])))


def many_interchanges(times: int) -> bytes:
    return b"".join(
        joined(SAMPLES["dependent"]).translate(bytes.maketrans(b"*~", b"+'" if number % 2 else b"*~"))
        for number in range(times)
    )


GROWTHS = {
    "benefits": long_answer,
    "interchanges": many_interchanges,
    "headers": lambda times: (isa() + "~").encode() * (times * 10),
    "names that are not headers": lambda times: joined([isa(), *["NM1*ISA*ISA*ISA"] * (times * 20)]),
    "line breaks": lambda times: isa().encode() + b"\n" * (times * 4000),
    "line breaks after small letters": lambda times: isa().lower().encode() + b"\n" * (times * 4000),
    "separators": lambda times: isa().encode() + b"~" + b"*" * (times * 4000),
    "blanks before headers": lambda times: b"x" + (b" " * 200 + b"ISA") * (times * 10),
    "patients": lambda times: joined(
        interchange(transaction([*HEADER, *["HL*3*2*22*0", "NM1*IL*1*A*B", "TRN*2*1*9", "EB*1**30"] * (times * 5)]))
    ),
    "garbage": lambda times: random.Random(1).randbytes(times * 4000),
}


@pytest.mark.parametrize("growth", GROWTHS)
def test_eight_times_the_size_takes_about_eight_times_as_long(growth: str) -> None:
    make = GROWTHS[growth]
    small, large = seconds(make(10)), seconds(make(80))
    assert large < 24 * small + 0.01
