"""A 271 becomes coverages: what each patient's plan says, in the payer's codes, each figure with its segment."""

from typing import Any

import pytest

from billing.x12 import read
from billing.x12.as_json import file_json
from tests.billing.x12_samples import (
    ACTIVE,
    ACTIVE_271,
    DEPENDENT_271,
    HEADER,
    OLD_271,
    SUBSCRIBER,
    interchange,
    joined,
    segments,
    transaction,
)


def coverages(parts: list[str]) -> list[dict[str, Any]]:
    (found,) = file_json(read(joined(parts)))["interchanges"][0]["transactions"]
    return found["coverages"]


def answer_to(body: list[str]) -> dict[str, Any]:
    (found,) = file_json(read(joined(interchange(transaction(body)))))["interchanges"][0]["transactions"]
    return found


def answer(*body: str) -> dict[str, Any]:
    return answer_to([*HEADER, *SUBSCRIBER, *body])


def problem_codes(found: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in found["problems"]]


def part(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value[name] for name in names}


def test_who_asked_whom_about_whom() -> None:
    (coverage,) = coverages(ACTIVE_271)
    assert part(coverage["payer"], "name", "id") == {"name": "SUNRISE HEALTH", "id": "00777"}
    assert coverage["payer"]["contacts"][0]["numbers"][0] == {"qualifier": "TE", "number": "8005550100"}
    assert coverage["provider"]["name"] == "STILLWATER CLINIC"
    assert part(coverage["subscriber"], "name", "member_id", "birth_date", "gender") == {
        "name": "ADA N OKAFOR JR",
        "member_id": "SUN123456",
        "birth_date": "1985-02-14",
        "gender": "F",
    }
    assert coverage["subscriber"]["address"]["lines"] == ["12 QUAY ST", "FLAT 3"]
    assert part(coverage["patient"], "relation", "name", "relationship_meaning") == {
        "relation": "subscriber",
        "name": "ADA N OKAFOR JR",
        "relationship_meaning": "Self",
    }
    assert [part(trace, "type", "number", "originator", "originator_detail") for trace in coverage["traces"]] == [
        {"type": "2", "number": "T-1001", "originator": "9STILLWATE", "originator_detail": "DESK"},
        {"type": "1", "number": "PAYER-5", "originator": "9SUNRISE00", "originator_detail": None},
    ]
    assert part(coverage["references"][0], "qualifier", "value", "description") == {
        "qualifier": "6P",
        "value": "GRP-9",
        "description": "HARBOUR WORKS",
    }
    assert part(coverage["dates"][0], "qualifier", "from", "to") == {
        "qualifier": "346",
        "from": "2026-01-01",
        "to": None,
    }
    assert [plan["name"] for plan in coverage["plans"]] == ["GOLD PPO", "GOLD PPO", None]


def test_one_benefit_for_each_eb_in_file_order_with_its_segment() -> None:
    (coverage,) = coverages(ACTIVE_271)
    positions = [number for number, segment in enumerate(ACTIVE_271, 1) if segment.startswith("EB*")]
    assert [benefit["evidence"]["position"] for benefit in coverage["benefits"]] == positions
    assert [benefit["evidence"]["segment"] for benefit in coverage["benefits"]] == [
        segment for segment in ACTIVE if segment.startswith("EB*")
    ]


def test_amounts_and_percentages_stand_as_sent_and_absent_is_null() -> None:
    (coverage,) = coverages(ACTIVE_271)
    figures = [
        part(benefit, "kind", "amount", "percent", "quantity", "quantity_unit") for benefit in coverage["benefits"]
    ]
    nothing = {"amount": None, "percent": None, "quantity": None, "quantity_unit": None}
    assert figures == [
        {**nothing, "kind": "1"},
        {**nothing, "kind": "1"},
        {**nothing, "kind": "C", "amount": "1500.00"},
        {**nothing, "kind": "C", "amount": "250.5"},
        {**nothing, "kind": "A", "percent": "0.2"},
        {**nothing, "kind": "B", "amount": "30.00"},
        {**nothing, "kind": "F", "quantity": "20", "quantity_unit": "VS"},
        {**nothing, "kind": "D"},
        {**nothing, "kind": "U"},
        {**nothing, "kind": "W"},
    ]


def test_an_empty_element_is_null_and_never_an_empty_text() -> None:
    (coverage,) = answer("EB", "DTP*348**", "REF*18", "TRN*2", "AAA*N", "PER", "EB*1*********X***:90834*1::2")[
        "coverages"
    ]
    first, second = coverage["benefits"]
    assert (first["kind"], first["dates"][0]["text"], first["references"][0]["value"]) == (None, None, None)
    assert (second["procedure"]["qualifier"], second["diagnosis_pointers"]) == (None, ["1", "2"])
    assert coverage["traces"][-1]["number"] is None
    assert coverage["rejections"][0]["code"] is None


def test_a_repeated_service_type_is_a_list_and_codes_carry_their_meaning() -> None:
    (coverage,) = coverages(ACTIVE_271)
    benefit = coverage["benefits"][1]
    assert benefit["service_types"] == ["MH", "98", "UC"]
    assert benefit["service_type_meanings"][0] == "Mental health"
    assert part(benefit, "level", "level_meaning", "insurance_type", "insurance_type_meaning", "plan") == {
        "level": "IND",
        "level_meaning": "Individual",
        "insurance_type": "PR",
        "insurance_type_meaning": "Preferred provider organization (PPO)",
        "plan": "GOLD PPO",
    }
    assert part(coverage["benefits"][3], "period", "period_meaning") == {"period": "29", "period_meaning": "Remaining"}


def test_authorization_and_network_are_codes_of_the_benefit() -> None:
    (coverage,) = coverages(ACTIVE_271)
    assert [(benefit["authorization"], benefit["network"]) for benefit in coverage["benefits"][4:8]] == [
        ("N", "Y"),
        ("Y", "N"),
        ("Y", "U"),
        ("Y", "W"),
    ]


def test_what_stands_under_a_benefit_belongs_to_it() -> None:
    (coverage,) = coverages(ACTIVE_271)
    visits = coverage["benefits"][6]
    assert part(visits["delivery"][0], "quantity_qualifier", "quantity", "period", "period_count") == {
        "quantity_qualifier": "VS",
        "quantity": "20",
        "period": "22",
        "period_count": "1",
    }
    assert visits["references"][0]["value"] == "AUTH-77"
    assert part(visits["circumstances"][0], "code", "meaning") == {"code": "11", "meaning": "Office"}
    assert visits["dates"][0]["from"] == "2026-03-01"
    assert part(coverage["benefits"][3]["dates"][0], "from", "to") == {"from": "2026-01-01", "to": "2026-12-31"}
    assert coverage["benefits"][5]["messages"] == ["COPAY IS WAIVED FOR TELEHEALTH", "ASK FOR THE DESK"]


def test_a_procedure_keeps_its_modifiers_and_description() -> None:
    (coverage,) = coverages(ACTIVE_271)
    assert coverage["benefits"][7]["procedure"] == {
        "qualifier": "HC",
        "code": "90834",
        "modifiers": ["95", "GT"],
        "description": "THERAPY",
        "last_code": None,
    }
    assert coverage["benefits"][7]["diagnosis_pointers"] == ["1", "2"]


def test_related_entities_belong_to_their_benefit_alone() -> None:
    (coverage,) = coverages(ACTIVE_271)
    vendor, doctor = coverage["benefits"][8]["entities"]
    assert part(vendor, "role", "role_meaning", "name", "id") == {
        "role": "VN",
        "role_meaning": "Vendor",
        "name": "CARVE OUT RX",
        "id": "RX01",
    }
    assert [pair["number"] for pair in vendor["contacts"][0]["numbers"]] == ["8005550199", "8005550198"]
    assert vendor["address"]["city"] == "SALEM"
    assert vendor["provider_number"] == "2084P0800X"
    assert doctor["name"] == "LIN WU"
    assert coverage["benefits"][9]["entities"] == []


def test_each_dependent_is_a_patient_of_their_own() -> None:
    ben, chi = coverages(DEPENDENT_271)
    assert ben["subscriber"]["name"] == chi["subscriber"]["name"] == "ADA OKAFOR"
    assert part(ben["patient"], "relation", "name", "birth_date") == {
        "relation": "dependent",
        "name": "BEN OKAFOR",
        "birth_date": "2010-06-30",
    }
    assert [trace["number"] for trace in chi["traces"]] == ["T-1003"]
    assert (ben["status"], chi["status"]) == ("active", "undetermined")
    assert (len(ben["rejections"]), len(chi["rejections"])) == (0, 1)


def test_an_answer_of_the_older_version_reads_the_same() -> None:
    found = file_json(read(joined(OLD_271)))["interchanges"][0]["transactions"][0]
    assert found["version"] == "004010X092A1"
    (coverage,) = found["coverages"]
    assert part(coverage["benefits"][1], "kind", "service_types", "amount") == {
        "kind": "B",
        "service_types": ["98"],
        "amount": "15",
    }
    assert coverage["status"] == "active"


def test_unknown_codes_are_kept_with_no_meaning_and_told() -> None:
    found = answer("EB*QQ*IND*98^Z9*ZZ**99*5", "AAA*N**7Z*Q")
    (benefit,) = found["coverages"][0]["benefits"]
    assert part(benefit, "kind", "kind_meaning", "service_types", "service_type_meanings", "period_meaning") == {
        "kind": "QQ",
        "kind_meaning": None,
        "service_types": ["98", "Z9"],
        "service_type_meanings": ["Professional (physician) visit: office", None],
        "period_meaning": None,
    }
    assert benefit["amount"] == "5"
    assert problem_codes(found) == ["unknown_code"] * 6
    assert found["coverages"][0]["status"] == "undetermined"


def test_a_figure_that_is_no_number_is_absent_not_zero() -> None:
    found = answer("EB*B**98***27*$1,500")
    (benefit,) = found["coverages"][0]["benefits"]
    assert benefit["amount"] is None
    assert benefit["evidence"]["segment"] == "EB*B**98***27*$1,500"
    assert problem_codes(found) == ["malformed_number"]


def test_a_day_that_does_not_exist_is_told_and_its_text_kept() -> None:
    found = answer("EB*1**30", "DTP*348*D8*20260231")
    (period,) = found["coverages"][0]["benefits"][0]["dates"]
    assert part(period, "from", "to", "text") == {"from": None, "to": None, "text": "20260231"}
    assert problem_codes(found) == ["malformed_date"]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("20250101 - 20261231", "2025-01-01", "2026-12-31"),
        ("2025-01-01 - 2026/12/31", "2025-01-01", "2026-12-31"),
        ("20250101-", "2025-01-01", None),
        ("2025-01-01", "2025-01-01", None),
        ("20261231-20250101", None, None),
        ("20250101-20250231", None, None),
    ],
)
def test_a_date_in_a_form_of_the_payers_own_is_read_where_it_can_be_and_told(
    text: str, first: str | None, last: str | None
) -> None:
    found = answer("EB*1**30", f"DTP*291*RD8*{text}")
    (period,) = found["coverages"][0]["benefits"][0]["dates"]
    assert part(period, "from", "to", "text") == {"from": first, "to": last, "text": text}
    assert problem_codes(found) == ["malformed_date"]
    assert found["problems"][0]["position"] == period["position"]


def test_a_birth_date_in_a_form_of_the_payers_own_is_read_and_kept_as_sent() -> None:
    found = answer("HL*4*3*23*0", "NM1*03*1*OKAFOR*BEN", "DMG*D8*2010-06-30*M*X")
    (coverage,) = found["coverages"]
    assert coverage["patient"]["birth_date"] == "2010-06-30"
    assert [item["segment"] for item in coverage["other"]] == ["DMG*D8*2010-06-30*M*X"]
    assert problem_codes(found) == ["malformed_date"]


def test_a_date_with_the_wrong_format_qualifier_is_still_read() -> None:
    (period,) = answer("EB*1**30", "DTP*291**20260101-20261231")["coverages"][0]["benefits"][0]["dates"]
    assert part(period, "from", "to") == {"from": "2026-01-01", "to": "2026-12-31"}


def test_small_letters_and_blanks_around_codes_are_forgiven() -> None:
    found = answer("eb*1 ** 30 ")
    assert part(found["coverages"][0]["benefits"][0], "kind", "service_types") == {"kind": "1", "service_types": ["30"]}
    assert found["problems"] == []


def test_an_unknown_segment_is_kept_with_its_patient() -> None:
    found = answer("EB*1**30", "QTY*QA*4", "MPI*C*AO*A")
    assert [item["segment"] for item in found["coverages"][0]["other"]] == ["INS*Y*18*001*25", "QTY*QA*4", "MPI*C*AO*A"]
    assert problem_codes(found) == ["unknown_segment"]


def test_who_stands_above_nobody_is_kept_as_sent() -> None:
    stray = ["HL*4**20*0", "NM1*PR*2*OTHER PLAN*****PI*00888"]
    found = answer("EB*1**30", *stray)
    assert [item["segment"] for item in found["other"]] == stray
    assert [coverage["payer"]["id"] for coverage in found["coverages"]] == ["00777"]


def test_what_is_kept_of_those_above_a_patient_is_shown_with_the_transaction() -> None:
    found = answer_to([*HEADER[:3], "N2*ALSO CALLED SUNSET", *HEADER[3:], *SUBSCRIBER, "EB*1**30"])
    assert [item["segment"] for item in found["other"]] == ["N2*ALSO CALLED SUNSET"]


def test_a_name_without_a_role_is_no_reason_to_forget_it() -> None:
    found = answer_to([*HEADER, "HL*3*2*22*0", "NM1**1*OKAFOR*ADA", "NM1**1*ROE*BOB", "EB*1**30"])
    assert found["coverages"][0]["patient"]["name"] == "ADA OKAFOR"
    assert [item["segment"] for item in found["coverages"][0]["other"]] == ["NM1**1*ROE*BOB"]


@pytest.mark.parametrize("segment", ["DMG*D8*20100630*M", "N4*SALEM*OR*97301", "INS*N*19", "BHT*0022*11*ASK-2"])
def test_what_is_said_a_second_time_takes_no_ones_place(segment: str) -> None:
    found = answer(segment, "EB*1**30")
    patient = found["coverages"][0]["patient"]
    assert (patient["birth_date"], patient["address"]["city"], patient["relationship"]) == (
        "1985-02-14",
        "PORTLAND",
        "18",
    )
    assert found["reference"] == "ASK-1"
    assert found["coverages"][0]["other"][-1]["segment"] == segment
    assert problem_codes(found) == ["unexpected_segment"]


def test_what_the_transaction_says_of_itself_is_all_shown() -> None:
    (found,) = file_json(read(joined(ACTIVE_271)))["interchanges"][0]["transactions"]
    assert part(found, "structure", "purpose", "reference", "created", "time", "type") == {
        "structure": "0022",
        "purpose": "11",
        "reference": "ASK-1",
        "created": "2026-11-20",
        "time": "0815",
        "type": None,
    }
    patient = found["coverages"][0]["patient"]
    assert part(patient, "insured", "insured_meaning", "relationship") == {
        "insured": "Y",
        "insured_meaning": "Yes",
        "relationship": "18",
    }


@pytest.mark.parametrize(
    "segment",
    [
        "HSD*VS*20***22*1**A*X",
        "TRN*2*T-1*9STILLWATE*DESK*X",
        "LS*2330",
        "DTP*348*D8*20260101*X",
        "HL*4*3*23*0*X",
        "MSG*CALL US**X",
    ],
)
def test_what_has_no_place_in_a_segment_is_kept_as_sent(segment: str) -> None:
    found = answer("EB*1**30", segment)
    kept = [item["segment"] for coverage in found["coverages"] for item in coverage["other"]]
    assert segment in kept


def test_what_has_no_place_in_the_beginning_is_kept_as_sent() -> None:
    body = ["BHT*0022*11*ASK-1*20261120*0815*RT*X", *HEADER[1:], *SUBSCRIBER]
    found = answer_to(body)
    assert (found["type"], [item["segment"] for item in found["other"]]) == ("RT", body[:1])


def test_more_elements_than_the_standard_has_are_kept_in_the_evidence() -> None:
    found = answer("EB*1**30*************X")
    assert problem_codes(found) == ["extra_elements"]
    assert found["coverages"][0]["benefits"][0]["evidence"]["segment"].endswith("*X")


def test_missing_levels_are_inferred_from_the_names() -> None:
    body = [part for part in [*HEADER, *SUBSCRIBER, "EB*1**30"] if not part.startswith("HL*")]
    body = [part for part in body if not part.startswith("TRN*")]
    found = answer_to(body)
    (coverage,) = found["coverages"]
    assert (coverage["payer"]["name"], coverage["provider"]["name"], coverage["subscriber"]["name"]) == (
        "SUNRISE HEALTH",
        "STILLWATER CLINIC",
        "ADA N OKAFOR JR",
    )
    assert coverage["status"] == "active"
    assert problem_codes(found) == ["missing_hl"] * 3


def test_a_missing_subscriber_loop_loses_no_benefit() -> None:
    found = answer_to([*HEADER, "EB*1**30"])
    assert [benefit["kind"] for benefit in found["coverages"][0]["benefits"]] == ["1"]
    assert "missing_loop" in problem_codes(found)


def test_a_level_above_that_does_not_exist_is_told_and_the_nearest_taken() -> None:
    parts = [part.replace("HL*3*2*", "HL*3*9*") for part in ACTIVE_271]
    (found,) = file_json(read(joined(parts)))["interchanges"][0]["transactions"]
    assert found["coverages"][0]["provider"]["name"] == "STILLWATER CLINIC"
    assert problem_codes(found) == ["hl_parent"]


def test_two_patients_of_two_payers_do_not_mix() -> None:
    second = segments("""
        HL*4**20*1
        NM1*PR*2*OTHER PLAN*****PI*00888
        HL*5*4*21*1
        NM1*1P*2*STILLWATER CLINIC*****XX*1234567893
        HL*6*5*22*0
        NM1*IL*1*DOE*JO****MI*OTH1
        EB*6**30
    """)
    ada, jo = coverages(interchange(transaction([*HEADER, *SUBSCRIBER, "EB*1**30", *second])))
    assert (ada["payer"]["id"], ada["status"]) == ("00777", "active")
    assert (jo["payer"]["id"], jo["status"]) == ("00888", "inactive")


def test_unclosed_related_entities_are_told() -> None:
    found = answer("EB*U**30", "LS*2120", "NM1*VN*2*VENDOR", "EB*1**30", "NM1*VN*2*STRAY")
    assert [len(benefit["entities"]) for benefit in found["coverages"][0]["benefits"]] == [1, 1]
    assert problem_codes(found) == ["missing_le", "missing_ls"]


def test_whose_level_is_damaged_is_a_patient_of_their_own_all_the_same() -> None:
    found = answer(
        "EB*1**30", "HX*4*2*22*0", "TRN*2*T-9*9STILLWATE", "NM1*IL*1*ROE*BOB****MI*W2", "EB*B**MH***27*10",
        "NM1*03*1*ROE*KIM", "EB*B**98***27*20", "NM1*03*1*ROE*LEE", "EB*B**98***27*30",
    )  # fmt: skip
    told = [(one["patient"]["name"], [benefit["amount"] for benefit in one["benefits"]]) for one in found["coverages"]]
    assert told == [("ADA N OKAFOR JR", [None]), ("BOB ROE", ["10"]), ("KIM ROE", ["20"]), ("LEE ROE", ["30"])]
    assert problem_codes(found).count("missing_hl") == 3
