"""Any separators, any line breaks, any fault in the envelope: the file is read and the fault is told."""

from typing import Any

import pytest

from billing.x12 import read, segments
from billing.x12.as_json import file_json
from tests.billing.x12_samples import (
    ACTIVE_271,
    DEPENDENT_271,
    INTERCHANGE_ACKNOWLEDGED,
    OLD_271,
    PAYMENT_835,
    SAMPLES,
    interchange,
    isa,
    joined,
    transaction,
)


def shown(raw: bytes) -> dict[str, Any]:
    return file_json(read(raw))


def problems(raw: bytes) -> list[tuple[str, int]]:
    return [
        (problem.code, problem.position)
        for found in read(raw).interchanges
        for holder in (found, *found.transactions)
        for problem in holder.problems
    ]


def without_evidence(value: Any) -> Any:
    """The values without the segments' own text, which keeps the file's separators."""
    if isinstance(value, dict):
        return {key: without_evidence(item) for key, item in value.items() if key not in ("evidence", "segment")}
    return [without_evidence(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", SAMPLES)
def test_a_faultless_file_has_no_problem(name: str) -> None:
    assert problems(joined(SAMPLES[name])) == []


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    ("terminator", "line_break"), [("~", "\n"), ("~", "\r\n"), ("\n", ""), ("\r\n", ""), ("'", "")]
)
def test_line_breaks_and_terminators_change_nothing(name: str, terminator: str, line_break: str) -> None:
    assert shown(joined(SAMPLES[name], terminator, line_break)) == shown(joined(SAMPLES[name]))


def test_other_separators_change_nothing_but_the_evidence() -> None:
    usual = joined(ACTIVE_271)
    other = usual.translate(bytes.maketrans(b"*:^~", b"\x1d>\x1f\x1c"))
    assert without_evidence(shown(other)) == without_evidence(shown(usual))


def test_a_file_wrapped_at_eighty_columns_is_read() -> None:
    text = joined(DEPENDENT_271)
    wrapped = b"\r\n".join(text[at : at + 80] for at in range(0, len(text), 80))
    assert shown(wrapped) == shown(text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_changes_nothing(encoding: str) -> None:
    assert shown(joined(ACTIVE_271).decode().encode(encoding)) == shown(joined(ACTIVE_271))


def test_indented_lines_and_padding_after_the_end_change_nothing() -> None:
    assert shown(joined(ACTIVE_271, line_break="\n  ") + b"\x1a\x00\n") == shown(joined(ACTIVE_271))


def test_a_nul_is_marked_and_told_since_no_database_takes_one() -> None:
    raw = joined(ACTIVE_271).replace(b"OKAFOR", b"OKA\0FOR")
    assert problems(raw) == problems(raw + b"\0\0\n") == [("nul_characters", 1)]
    assert read(raw).interchanges[0].transactions[0].coverages[0].subscriber.last == "OKA\ufffdFOR"  # type: ignore[union-attr]


def test_bytes_that_are_not_utf8_are_read_and_told() -> None:
    raw = joined(ACTIVE_271).replace(b"OKAFOR", b"OKAF\xd3R")
    assert problems(raw) == [("undecodable_text", 1)]
    assert read(raw).interchanges[0].transactions[0].coverages[0].subscriber.last == "OKAFÓR"  # type: ignore[union-attr]


def test_an_isa_whose_elements_lost_their_padding_is_read() -> None:
    raw = joined(ACTIVE_271).replace(b"SUNRISEPAYER   ", b"SUNRISEPAYER").replace(b"*          *", b"**")
    assert problems(raw) == [("isa_not_106", 1)]
    assert len(read(raw).interchanges[0].transactions[0].coverages[0].benefits) == 10


def test_an_isa_without_its_component_separator_is_read() -> None:
    raw = joined(ACTIVE_271).replace(b"*P*:~", b"*P*~")
    assert problems(raw) == [("separator_guessed", 1)]
    assert len(read(raw).interchanges[0].transactions[0].coverages[0].benefits) == 10


def test_a_damaged_terminator_in_the_isa_is_inferred_from_what_follows() -> None:
    raw = joined(ACTIVE_271).replace(b"*P*:~", b"*P*:}")
    assert problems(raw) == [("separator_guessed", 1)]
    assert len(read(raw).interchanges[0].transactions[0].coverages[0].benefits) == 10


def test_repetition_comes_from_the_isa_only_from_402_on() -> None:
    old = joined(OLD_271).replace(b"EB*1*FAM*30*", b"EB*1*FAM*30^98*")
    coverage = read(old).interchanges[0].transactions[0].coverages[0]
    assert coverage.benefits[0].service_types == ("30^98",)
    assert problems(old) == [("unknown_code", 20)]


def test_repetition_is_the_groups_to_say_where_the_isa_is_of_an_older_version() -> None:
    body = [part.replace("EB*1*FAM*30*", "EB*1*FAM*30^98*") for part in OLD_271[3:-3]]
    old = interchange(transaction(body, version="004010"), version="004010X092A1")
    new = [
        "GS*HB*SUNRISEPAYER*STILLWATER*20261120*0815*43*X*005010X279A1",
        *transaction(body, control="0002"),
        "GE*1*43",
    ]
    raw = joined([*old[:-1], *new, old[-1].replace("IEA*1*", "IEA*2*")])
    first, second = read(raw).interchanges[0].transactions
    assert first.coverages[0].benefits[0].service_types == ("30^98",)
    assert second.coverages[0].benefits[0].service_types == ("30", "98")
    assert [(code, at) for code, at in problems(raw) if code != "unknown_code"] == [("separator_guessed", len(old))]


@pytest.mark.parametrize("line_break", ["", "\n"])
def test_an_envelope_in_small_letters_is_read_and_told(line_break: str) -> None:
    small = [part.replace(name := part.split("*")[0], name.lower(), 1) for part in [*ACTIVE_271, *ACTIVE_271]]
    raw = joined(small, line_break=line_break)
    assert problems(raw) == [("small_letters", 1)]
    first, second = read(raw).interchanges
    assert first.transactions[0].coverages[0].complete
    assert [len(found.transactions[0].coverages[0].benefits) for found in (first, second)] == [10, 10]
    assert segments(raw)[44] == "SE*43*0001"


def test_a_file_without_isa_is_read_from_its_group_or_transaction() -> None:
    for first in (1, 2):
        raw = joined(ACTIVE_271[first:])
        assert ("missing_isa", 1) in problems(raw)
        assert len(read(raw).interchanges[0].transactions[0].coverages[0].benefits) == 10


def test_text_before_the_isa_is_kept() -> None:
    raw = b"Content-Type: text/plain\r\n\r\n" + joined(ACTIVE_271)
    found = read(raw).interchanges[0]
    assert [problem.code for problem in found.problems] == ["text_before_isa"]
    assert found.other[0].segment == "Content-Type: text/plain"


def test_wrong_counts_and_control_numbers_are_told_where_they_stand() -> None:
    raw = joined(ACTIVE_271).replace(b"~SE*43*0001~GE*1*42~IEA*1*000000042~", b"~SE*44*0002~GE*2*43~IEA*2*000000043~")
    assert problems(raw) == [
        ("count_mismatch", 46),
        ("control_number_mismatch", 46),
        ("count_mismatch", 47),
        ("control_number_mismatch", 47),
        ("count_mismatch", 45),
        ("control_number_mismatch", 45),
    ]
    assert len(read(raw).interchanges[0].transactions[0].coverages[0].benefits) == 10


@pytest.mark.parametrize(
    ("dropped", "code"), [("SE", "missing_se"), ("GE", "missing_ge"), ("GS", "missing_gs"), ("ST", "missing_st")]
)
def test_a_missing_envelope_segment_is_told_and_the_answer_is_read(dropped: str, code: str) -> None:
    raw = joined([part for part in ACTIVE_271 if not part.startswith(f"{dropped}*")])
    assert code in [found for found, _ in problems(raw)]
    assert len(read(raw).interchanges[0].transactions[0].coverages[0].benefits) == 10


def test_several_interchanges_groups_and_transactions_are_all_read_with_positions_in_the_file() -> None:
    two = interchange(transaction(ACTIVE_271[3:-3]), transaction(OLD_271[3:-3], control="0002"))
    file = read(joined(two) + joined(DEPENDENT_271).translate(bytes.maketrans(b"*~", b"+\n")))
    first, second = file.interchanges
    assert [found.control_number for found in first.transactions] == ["0001", "0002"]
    assert second.problems == []
    assert second.transactions[0].position == len(two) + 3


def test_a_patient_called_isa_opens_no_interchange() -> None:
    raw = joined(ACTIVE_271).replace(b"*OKAFOR*ADA*", b"*OKAFOR*ISA*")
    assert problems(raw) == []
    assert len(read(raw).interchanges) == 1


def test_control_numbers_used_twice_are_told() -> None:
    raw = joined(interchange(transaction(ACTIVE_271[3:-3]), transaction(ACTIVE_271[3:-3])))
    assert [code for code, _ in problems(raw)] == ["duplicate_control_number"]


def test_a_ta1_stands_in_its_interchange_without_a_group() -> None:
    (found,) = shown(joined(INTERCHANGE_ACKNOWLEDGED))["interchanges"]
    (acknowledgement,) = found["acknowledgements"]
    assert acknowledgement["control_number"] == "000000041"
    assert acknowledgement["status"] == "R"
    assert acknowledgement["codes"] == [{"code": "019", "meaning": "Invalid acknowledgment requested value"}]


def test_another_kind_of_transaction_keeps_every_segment() -> None:
    (found,) = shown(joined(PAYMENT_835))["interchanges"][0]["transactions"]
    assert found["kind"] == "835"
    assert found["version"] == "005010X221A1"
    assert [item["segment"] for item in found["segments"]] == PAYMENT_835[2:-2]
    assert [item["position"] for item in found["segments"]] == list(range(3, len(PAYMENT_835) - 1))


def test_what_stands_outside_any_transaction_is_kept() -> None:
    raw = joined([*ACTIVE_271[:-2], "XYZ*1", *ACTIVE_271[-2:]])
    found = read(raw).interchanges[0]
    assert [(item.segment, item.position) for item in found.other] == [("XYZ*1", 46)]
    assert [(problem.code, problem.position) for problem in found.problems] == [("stray_segment", 46)]


def test_an_answer_cut_off_is_told_and_its_last_half_segment_is_not_believed() -> None:
    whole = joined(ACTIVE_271)
    cut = whole[: whole.index(b"*1500.00") + 3]
    transaction_read = read(cut).interchanges[0].transactions[0]
    assert {problem.code for problem in transaction_read.problems} == {"cut_off", "cut_off_segment"}
    assert transaction_read.other[-1].segment.endswith("*15")
    assert [benefit.amount for benefit in transaction_read.coverages[0].benefits] == [None, None]


def test_a_missing_last_terminator_after_a_whole_trailer_loses_nothing() -> None:
    raw = joined(ACTIVE_271)[:-1]
    assert [code for code, _ in problems(raw)] == ["cut_off_segment"]
    assert read(raw).interchanges[0].transactions[0].coverages[0].complete


@pytest.mark.parametrize(
    "raw", [b"", b"hello", b"{}", b"\x00\xff" * 90, b"%PDF-1.7 ISA", b"The ISA (an account), ST. 271"]
)
def test_what_is_not_x12_says_so(raw: bytes) -> None:
    file = read(raw)
    assert file.interchanges == []
    assert "not_x12" in [problem.code for problem in file.problems]


def test_only_an_isa_is_an_interchange_without_content() -> None:
    (found,) = read((isa() + "~").encode()).interchanges
    assert found.sender == "SUNRISEPAYER"
    assert [problem.code for problem in found.problems] == ["missing_iea"]
