"""Names and member numbers as payers write them: one person stays one, two relatives stay two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.verification.names import Likeness, PersonName, compare, same_member, split_name

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzéüñø'- ", max_size=40)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("Ada Okafor", PersonName("OKAFOR", "ADA")),
        ("Okafor, Ada N.", PersonName("OKAFOR", "ADA", "N")),
        ("Dr. Ada Neema Okafor Jr.", PersonName("OKAFOR", "ADA", "NEEMA", "JR")),
        ("Okafor, Ada, III", PersonName("OKAFOR", "ADA", None, "III")),
        ("Juan de la Cruz", PersonName("DE LA CRUZ", "JUAN")),
        ("Zoë O'Brien-Smythe", PersonName("O'BRIEN-SMYTHE", "ZOE")),
        ("Cher", PersonName("CHER")),
    ],
)
def test_the_parts_of_a_name_are_told(written: str, parts: PersonName) -> None:
    assert split_name(written) == parts


@pytest.mark.parametrize("nothing", ["", " ", "…", "42", ","])
def test_what_has_no_letters_is_no_name(nothing: str) -> None:
    assert split_name(nothing) is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("OKAFOR, ADA N", "Ada Okafor"),
        ("OBRIEN, PATRICK", "Pat O'Brien"),
        ("MUELLER, ANNA", "Anna-Lena Müller"),
        ("GARCIA, MARIA", "Maria García López"),
        ("CRUZ, JUAN", "Juan de la Cruz"),
        ("SMITH, J", "John Smith"),
        ("WEI, LI", "Wei Li"),
        ("JONES-HALE, RUTH", "Ruth Hale"),
    ],
)
def test_one_person_written_two_ways_is_one(theirs: str, ours: str) -> None:
    assert compare(theirs, ours) is Likeness.SAME


@pytest.mark.parametrize(
    ("theirs", "ours"), [("SMITH, ERIN", "Eric Smith"), ("WHITFEILD, ELENOR", "Eleanor Whitfield")]
)
def test_a_misreading_and_a_sibling_look_alike_so_that_something_else_has_to_tell(theirs: str, ours: str) -> None:
    assert compare(theirs, ours) is Likeness.ALIKE


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("UNDERWOOD, MAYA", "Noah Underwood"),
        ("SMITH, JOHN SR", "John Smith Jr"),
        ("SMITH, JOHN", "John Okafor"),
        ("", "John Smith"),
    ],
)
def test_relatives_and_strangers_are_others(theirs: str, ours: str) -> None:
    assert compare(theirs, ours) is Likeness.OTHER


@given(WORDS, WORDS)
def test_comparing_never_fails_and_does_not_depend_on_who_is_first(one: str, other: str) -> None:
    assert compare(one, other) is compare(other, one)


@given(WORDS.filter(lambda name: split_name(name) is not None))
def test_a_name_is_its_own(name: str) -> None:
    assert compare(name, name) is Likeness.SAME


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("W100000001", "w 1000-00001", True),
        ("W100000001", "W10000000101", True),
        ("W100000001", "W100000002", False),
        ("W100000001", "W1000000010001", False),
        ("W10000001", "W100000012", False),  # one digit is another number, not a suffix
        ("12345", "1234501", False),
        ("", "", False),
    ],
)
def test_a_member_number_may_carry_a_persons_suffix_and_nothing_else(ours: str, theirs: str, same: bool) -> None:
    assert same_member(ours, theirs) is same
