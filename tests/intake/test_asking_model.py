"""The form's fields, judged: what is taken, and what is said about what is not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.intake import Insured, Treatment
from intake.asking.model import VALUE_FIELDS, FormFaulty, HelpRequest, judge

TODAY = date(2026, 11, 23)
ENOUGH = {"name": "Ada Byron", "phone": "(330) 555-0123"}


def judged(**values: str) -> HelpRequest:
    return judge({**ENOUGH, **values}, today=TODAY, region="US")


def faults(**values: str) -> dict[str, str]:
    with pytest.raises(FormFaulty) as faulty:
        judged(**values)
    return faulty.value.faults


def test_a_name_and_a_phone_number_are_enough() -> None:
    request = judged()
    assert (request.name, request.phone) == ("Ada Byron", "+13305550123")
    assert request.in_danger is None
    assert request.consents_to_texts is False
    assert request.coverage_typed is False


def test_everything_told_is_put_into_the_clinics_terms() -> None:
    request = judged(
        email=" ada@example.com ",
        birth_date="1985-07-30",
        reason="Since May.\r\nNothing helps.",
        treatment="iv_ketamine",
        insured="yes",
        payer="  Lakeshore   Mutual ",
        member_id="xyz 123 456-01",
        consent_texts="yes",
        in_danger="no",
    )
    assert request.email == "ada@example.com"
    assert request.birth_date == date(1985, 7, 30)
    assert request.reason == "Since May.\nNothing helps."
    assert (request.treatment, request.insured) == (Treatment.IV_KETAMINE, Insured.YES)
    assert (request.payer, request.member_id) == ("Lakeshore Mutual", "XYZ123456-01")
    assert (request.consents_to_texts, request.in_danger, request.coverage_typed) == (True, False, True)


@pytest.mark.parametrize("name", ["", "   ", "\n"])
def test_a_name_is_needed(name: str) -> None:
    assert faults(name=name) == {"name": "Tell us your name."}


def test_a_phone_number_or_an_email_address_is_needed() -> None:
    assert list(faults(phone="")) == ["phone"]
    assert judged(phone="", email="ada@example.com").phone is None


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("330-555-0123", "+13305550123"),
        ("+1 (330) 555 0123", "+13305550123"),
        ("1.330.555.0123", "+13305550123"),
        ("+44 20 7946 0018", "+442079460018"),
    ],
)
def test_a_phone_number_is_kept_in_its_international_form(phone: str, kept: str) -> None:
    assert judged(phone=phone).phone == kept


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("330555", "too short"),
        ("555-0123", "area code"),
        ("33055501234567890", "too many digits"),
        ("call me", "not a phone number"),
        ("+999 123456", "not a phone number"),
    ],
)
def test_what_is_no_phone_number_is_said(phone: str, said: str) -> None:
    assert said in faults(phone=phone)["phone"]


@pytest.mark.parametrize(
    "email", ["ada", "ada@", "@example.com", "ada@example", "a b@example.com", "ada@exa mple.com", "a@b.c\nBcc: x@y.z"]
)
def test_what_is_no_email_address_is_said(email: str) -> None:
    assert "name@example.com" in faults(email=email)["email"]


@pytest.mark.parametrize(
    ("birth_date", "said"),
    [
        ("2026-11-24", "lies in the future"),
        ("1899-12-31", "before 1900"),
        ("2023-02-29", "no such date"),
        ("30.07.1985", "year-month-day"),
        ("yesterday", "year-month-day"),
        ("19850730", "year-month-day"),
        ("٢٠٠٠-٠١-٠١", "year-month-day"),
    ],
)
def test_an_impossible_birth_date_is_said(birth_date: str, said: str) -> None:
    assert said in faults(birth_date=birth_date)["birth_date"]


@pytest.mark.parametrize("birth_date", ["1900-01-01", "2026-11-23", "2024-02-29"])
def test_a_possible_birth_date_is_taken(birth_date: str) -> None:
    assert judged(birth_date=birth_date).birth_date == date.fromisoformat(birth_date)


def test_texts_need_a_phone_number() -> None:
    assert "untick" in faults(phone="", email="ada@example.com", consent_texts="yes")["phone"]


@pytest.mark.parametrize("field", ["treatment", "insured", "in_danger", "consent_texts"])
def test_a_choice_that_is_not_offered_is_refused(field: str) -> None:
    assert list(faults(**{field: "perhaps"})) == [field]


@pytest.mark.parametrize("member_id", ["<script>", "12;34", "X" * 41, "-1"])
def test_a_member_number_is_letters_and_digits(member_id: str) -> None:
    assert list(faults(member_id=member_id)) == ["member_id"]


@pytest.mark.parametrize(("field", "most"), [("name", 200), ("reason", 4_000), ("payer", 120)])
def test_what_is_too_long_is_refused_with_its_length(field: str, most: int) -> None:
    assert f"{most + 1:,}" in faults(**{field: "x" * (most + 1)})[field]
    judged(**{field: "x" * most})


@pytest.mark.parametrize("text", ["Ada\x00", "\x1b[2J", "\ud800"])
def test_what_no_keyboard_types_is_refused(text: str) -> None:
    assert "not text" in faults(name=f"A{text}B")["name"]


def test_all_faults_are_told_at_once_in_the_forms_order() -> None:
    told = faults(name="", birth_date="x", in_danger="maybe", email="x", member_id="?")
    assert list(told) == ["in_danger", "name", "email", "birth_date", "member_id"]


@given(st.dictionaries(st.sampled_from(VALUE_FIELDS), st.text(max_size=80)))
def test_whatever_is_typed_ends_in_a_request_or_in_sentences(values: dict[str, str]) -> None:
    try:
        request = judge(values, today=TODAY, region="US")
    except FormFaulty as faulty:
        assert faulty.faults
        assert all(sentence.endswith(".") for sentence in faulty.faults.values())
    else:
        assert request.name
        assert request.phone or request.email
