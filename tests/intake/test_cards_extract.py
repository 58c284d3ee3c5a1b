"""What a card says, from boxes of recognised text alone: no picture, no model."""

from __future__ import annotations

import json

import pytest

from intake.cards.extract import extract
from intake.cards.model import Area, CardReading, ReadField, TextBox


def line(text: str, left: float, top: float, *, height: float = 20, sure: float = 0.99) -> TextBox:
    """A line of print: half as wide a letter as it is high."""
    return TextBox(text, Area(left, top, left + len(text) * height / 2, top + height), (sure,) * len(text))


def front(*lines: TextBox) -> CardReading:
    return extract([lines])


LOGO = line("Lakeshore Mutual Health", 40, 20, height=40)


@pytest.mark.parametrize(
    "label",
    [
        *("Member ID", "ID#", "ID No.:", "Subscriber No.", "Identification Number", "Enrollee ID", "Insured's ID"),
        *("Mbr ID", "Policyholder ID Number", "Participant ID", "Cardholder ID", "Medicaid ID", "MEMBER #", "UMID"),
        *("Your Member ID", "Member Identification No.", "Certificate No.", "Policy Number", "I.D. Number"),
        *(
            "Membership No.",
            "Health Plan ID",
            "Member ID/Suffix",
            "ID# (include prefix)",
            "Member ID / Núm. de miembro",
        ),
    ],
)
def test_a_number_is_the_members_whatever_the_card_calls_it(label: str) -> None:
    assert front(LOGO, line(label, 40, 120), line("4471820935", 400, 120)).member_id == "4471820935"
    assert front(LOGO, line(f"{label} 4471820935", 40, 120)).member_id == "4471820935"


@pytest.mark.parametrize(
    ("left", "top"), [(220, 120), (40, 144), (40, 96)], ids=["beside its label", "below it", "above it"]
)
def test_a_value_is_found_wherever_the_card_puts_it(left: float, top: float) -> None:
    assert front(LOGO, line("Subscriber ID", 40, 120), line("XQW481205937", left, top)).member_id == "XQW481205937"


def test_cards_that_print_values_above_their_captions_keep_every_pair_together() -> None:
    read = front(
        LOGO,
        *(line("ADA BYRON", 40, 100), line("NAME", 40, 124, height=14)),
        *(line("81007047100", 40, 170), line("ID#", 40, 194, height=14)),
        *(line("G374589", 400, 170), line("GROUP", 400, 194, height=14)),
        *(line("003858", 400, 240), line("BIN", 400, 264, height=14)),
    )
    assert (read.holder, read.member_id, read.group) == ("ADA BYRON", "81007047100", "G374589")


def test_numbers_of_pharmacies_telephones_and_issuers_are_nobodys_member_number() -> None:
    read = front(
        LOGO,
        line("RxBIN: 610502   RxPCN: MEDDADV   RxGRP: RX1234", 40, 100),
        line("Issuer (80840): 9140860054", 40, 130),
        line("Member Services 1-800-555-0199", 40, 160),
        line("Payer ID 60054   Effective 01/01/2026", 40, 190),
        line("Mail claims to: P.O. Box 98106, El Paso, TX 79998", 40, 220),
    )
    assert (read.member_id, read.group) == (None, None)


def test_the_pharmacys_group_is_not_the_plans() -> None:
    read = front(LOGO, line("BIN: 003858  PCN: IRX  GRP: RXCU74", 40, 100), line("GRP: 77104", 40, 200))
    assert read.group == "77104"


def test_of_a_plans_and_the_states_number_the_plans_is_the_members() -> None:
    read = front(LOGO, line("Member ID No.: 727138812", 40, 100), line("Medicaid ID: NJ47281U", 40, 130))
    assert read.member_id == "727138812"


def test_a_prefix_printed_apart_belongs_to_the_number() -> None:
    read = front(
        LOGO,
        *(line("Alpha Prefix", 40, 100), line("SAK", 40, 124)),
        *(line("Enrollee ID", 240, 100), line("511059606", 240, 124)),
    )
    assert read.member_id == "SAK511059606"


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("W4371 86006", "W437186006"),
        ("XEA 123 456 789", "XEA123456789"),
        ("123-45-6789", "123-45-6789"),
        ("U12345678 01", "U1234567801"),
        ("HP26758465-01", "HP26758465-01"),
        ("12345678O1", "1234567801"),
        ("1234l6789", "123416789"),
    ],
)
def test_spaces_are_left_out_hyphens_stay_and_a_letter_amid_digits_is_the_digit_it_looks_like(
    printed: str, read: str
) -> None:
    assert front(LOGO, line(f"Member ID: {printed}", 40, 120)).member_id == read


def test_a_number_with_a_doubtful_letter_is_less_sure_than_a_plain_one() -> None:
    plain = front(LOGO, line("Member ID: 123456789", 40, 120)).confidence("member_id")
    for doubtful in ("XO0123456", "A1B2O3456", "12345678O", "5I1234567", "123O456789"):
        unsure = front(LOGO, line(f"Member ID: {doubtful}", 40, 120)).confidence("member_id")
        assert unsure < 0.9 < plain, doubtful


def test_one_character_hardly_recognised_makes_the_whole_number_doubtful() -> None:
    number = "Member ID: 123456789"
    certain = (0.99,) * len(number)
    shaky = (*certain[:15], 0.45, *certain[16:])
    box = line(number, 40, 120)
    assert front(LOGO, TextBox(number, box.area, shaky)).confidence("member_id") < 0.9


def test_two_numbers_that_both_call_themselves_the_members_make_neither_sure() -> None:
    read = front(LOGO, line("Member ID: 123456789", 40, 120), line("Subscriber ID: 987654321", 40, 160))
    assert read.confidence("member_id") < 0.9


def test_a_number_on_the_back_alone_is_found_there() -> None:
    read = extract([[LOGO, line("Group # 4410", 40, 120)], [line("Insured ID # 221-04-7781", 40, 40)]])
    assert (read.member_id, read.group) == ("221-04-7781", "4410")


def test_a_card_without_words_is_an_answer_without_fields() -> None:
    assert extract([[]]).as_json() == {"payer": None, "member_id": None, "group": None, "holder": None, "fields": []}
    assert extract([[], []]) == CardReading()


def test_a_reading_as_json_has_four_values_and_the_fields_that_were_read() -> None:
    reading = CardReading((ReadField("payer", "Aetna", 0.95), ReadField("member_id", "W437186006", 0.97)))
    assert json.loads(json.dumps(reading.as_json())) == {
        "payer": "Aetna",
        "member_id": "W437186006",
        "group": None,
        "holder": None,
        "fields": [
            {"name": "payer", "value": "Aetna", "confidence": 0.95},
            {"name": "member_id", "value": "W437186006", "confidence": 0.97},
        ],
    }
