"""What messages say is true, neutral where others may see it, and fits."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contracts.billing import Benefit, Owner
from contracts.intake import Insured
from contracts.money import Money
from contracts.notify import Channel, ReplyMeaning
from notify.clinic import BadClinicFile, load_clinic
from notify.messages import gsm7
from notify.messages.model import Coverage, CoverageStatus, Due, Known, Person
from notify.messages.replies import load_reply_words
from notify.messages.wording import Letter, Wording
from tests.notify.house import clinic_file
from tests.notify.test_due import MARIA, VISIT

CLINIC = load_clinic()
WORDING = Wording(CLINIC)
WORDS = load_reply_words()


def letter(template: str, known: Known, about: str | None = None) -> Letter:
    return WORDING.letter(Due("purpose", template, Channel.EMAIL, about), known)


def active(*benefits: Benefit) -> str:
    coverage = Coverage(
        "c", 1, CoverageStatus.ACTIVE, payer="Acme Health", service_date=date(2027, 3, 3), plan="PPO", benefits=benefits
    )
    return letter("coverage_active", Known(MARIA, (VISIT,), (coverage,)), "c").text


def test_what_the_insurer_did_not_say_is_said_to_be_unknown_and_never_nothing() -> None:
    text = active()
    assert "Acme Health tells us that your plan (PPO) is active on Wednesday, March 3, 2027." in text
    assert "not known yet: it does not mean that it costs nothing" in text
    assert "$" not in text


def test_what_the_insurer_said_is_told_with_what_it_left_out() -> None:
    text = active(
        Benefit(service_type="MH", covered=True, copay=Money.of("25"), coinsurance="0.2", deductible_remaining=None),
        Benefit(service_type="88", copay=Money.of("99")),
    )
    assert "For mental-health care:" in text
    assert "- $25.00 for each visit (copay)" in text
    assert "- 20 % of the cost (coinsurance)" in text
    assert "- Not told: yearly deductible, what is left of the deductible." in text
    assert "$99" not in text


def test_a_known_zero_is_told_as_the_insurer_said_it() -> None:
    assert "- $0.00 for each visit (copay)" in active(Benefit(service_type="MH", copay=Money(cents=0)))


def test_not_covered_and_to_be_approved_are_told() -> None:
    assert "Not covered, the insurer says." in active(Benefit(service_type="MH", covered=False))
    approved = active(Benefit(service_type="MH", covered=True, authorization_required=True))
    assert "The insurer wants to approve it first." in approved


@pytest.mark.parametrize(
    ("coverage", "wording"),
    [
        (Coverage("c", 1, CoverageStatus.UNDETERMINED, Owner.PAYER, "Acme", asking_again=True), "We keep asking"),
        (Coverage("c", 1, CoverageStatus.UNDETERMINED, Owner.PAYER, "Acme"), "One of us is finding out"),
        (Coverage("c", 1, CoverageStatus.UNDETERMINED, Owner.STAFF, None), "what your insurer says"),
        (Coverage("c", 1, CoverageStatus.UNDETERMINED, Owner.PATIENT, "Acme"), "could not find you"),
    ],
)
def test_whoever_has_to_act_is_told_so_and_the_visit_stands(coverage: Coverage, wording: str) -> None:
    text = letter("coverage_undetermined", Known(MARIA, (VISIT,), (coverage,)), "c").text
    assert wording in text
    assert "Your visit on Wednesday, March 3, 2027, 12:00 PM EST, stands either way." in text
    assert "$" not in text


def test_without_a_visit_nothing_is_said_of_one() -> None:
    text = letter("coverage_self_pay", Known(replace(MARIA, insured=Insured.NO))).text
    assert "Your visit will be booked either way." in text
    assert "$" not in text


def test_an_uninsured_person_is_not_asked_for_a_card() -> None:
    uninsured = Known(replace(MARIA, insured=Insured.NO), (VISIT,))
    assert "insurance card" not in letter("appointment_booked", uninsured, VISIT.id).text
    assert "insurance card" in letter("appointment_booked", Known(MARIA, (VISIT,)), VISIT.id).text


def test_a_name_cannot_smuggle_markup_or_headers() -> None:
    known = Known(Person("p", name="<b>Eve</b>\nBcc: all@example.com"), (VISIT,))
    said = letter("appointment_booked", known, VISIT.id)
    assert "<b>" not in said.html
    assert "\n" not in said.subject


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"short_name": "Stillwater Ketamine"}, "appointment_booked by sms: unspoken_word"),
        ({"name": "The Ketamine Clinic"}, "coverage_active by email: unspoken_word"),
        ({"short_address": "Eighty-eight Canal Street"}, "appointment_booked by sms: text_too_long"),
        ({"short_address": "88 Канал"}, "appointment_booked by sms: text_not_gsm7"),
    ],
)
def test_facts_that_make_a_message_unfit_are_refused_at_start(
    tmp_path: Path, changes: dict[str, str], fault: str
) -> None:
    with pytest.raises(BadClinicFile, match=fault):
        Wording(load_clinic(clinic_file(tmp_path, **changes)))


def test_a_faulty_clinic_file_is_refused_with_the_place_of_its_fault(tmp_path: Path) -> None:
    with pytest.raises(BadClinicFile, match=r"phone: a phone number is written in quotes in E\.164"):
        load_clinic(clinic_file(tmp_path, phone="call us"))
    with pytest.raises(BadClinicFile, match="visits` lacks assessment"):
        load_clinic(clinic_file(tmp_path, visits={}))


def test_a_template_that_asks_for_an_unknown_fact_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "subject.txt").write_text("Hello")
    (tmp_path / "hello" / "body.txt").write_text("{{ shoe_size }}")
    (tmp_path / "layout.html").write_text("")
    (tmp_path / "templates.yaml").write_text(yaml.safe_dump({"hello": {"channels": ["email"]}}))
    with pytest.raises(BadClinicFile, match="hello by email: UndefinedError"):
        Wording(CLINIC, tmp_path)


def test_septets_are_counted_as_the_air_carries_them() -> None:
    assert gsm7.septets("Thu Mar 4 9:00 AM") == 17
    assert gsm7.septets("[€]") == 6
    assert gsm7.septets("naïve") is None


@given(st.text(alphabet="abc @£é{}€", max_size=40))
def test_each_character_takes_one_septet_or_two(text: str) -> None:
    assert gsm7.septets(text) == sum(2 if character in "{}€" else 1 for character in text)


@pytest.mark.parametrize(
    "reply",
    [
        "STOP",
        " stop. ",
        "Stop!",
        "STOP ALL",
        "please stop",
        "Stop texting me",
        "UNSUBSCRIBE",
        "opt-out",
        "Opt out",
        "quit",
        "END",
        "Cancel",
        "don't text me again",
        "Remove me from your list",
        "leave me alone",
        "Wrong number",
        "no more texts please",
    ],
)
def test_any_reasonable_wording_stops_texts(reply: str) -> None:
    assert WORDS.meaning(reply) is ReplyMeaning.STOP


@pytest.mark.parametrize(
    "reply",
    [
        "Can I cancel my visit?",
        "yes",
        "",
        "What should I bring?",
        "I can't stop crying",
        "The bus stop is where?",
        "In the end I'd like to come",
        "👍",
    ],
)
def test_other_replies_are_for_a_person_to_read(reply: str) -> None:
    assert WORDS.meaning(reply) is ReplyMeaning.OTHER


def test_texts_can_be_had_again() -> None:
    assert WORDS.meaning("Start") is ReplyMeaning.START
