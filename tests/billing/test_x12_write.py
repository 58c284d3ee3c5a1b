"""Questions are written strictly, and read back as they were asked."""

import dataclasses
import string
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.x12 import Envelope, codes, read, write_270
from billing.x12.records import Circumstance, Inquiry, Party, Period, Procedure, Question, Reference, Trace
from billing.x12.separators import Separators

PAYER = Party(role="PR", entity_type="2", last="SUNRISE HEALTH", id_qualifier="PI", id="00777")
PROVIDER = Party(role="1P", entity_type="2", last="STILLWATER CLINIC", id_qualifier="XX", id="1234567893")
ADA = Party(
    role="IL",
    entity_type="1",
    last="OKAFOR",
    first="ADA",
    id_qualifier="MI",
    id="SUN123456",
    birth_date=date(1985, 2, 14),
    gender="F",
    dates=[Period("291", date(2026, 11, 25))],
)
BEN = Party(
    role="03",
    entity_type="1",
    last="OKAFOR",
    first="BEN",
    birth_date=date(2010, 6, 30),
    relationship="19",
    dates=[Period("291", date(2026, 11, 25), date(2026, 12, 31))],
)
TRACE = Trace("1", "T-1001", "9STILLWATE")
ENVELOPE = Envelope(
    sender="STILLWATER",
    receiver="SUNRISEPAYER",
    at=datetime(2026, 11, 23, 9, 5),
    reference="ASK-1",
    interchange_number=42,
    group_number=7,
    transaction_number=3,
)


def asked(**changes: Any) -> Inquiry:
    whole = Inquiry(PAYER, PROVIDER, ADA, None, [TRACE], [Question(["30", "MH"])])
    return dataclasses.replace(whole, **changes)


def written(inquiry: Inquiry, **changes: Any) -> bytes:
    return write_270(inquiry, envelope=dataclasses.replace(ENVELOPE, **changes))


def test_a_subscribers_question_segment_by_segment() -> None:
    assert written(asked()).decode().split("~") == [
        "ISA*00*          *00*          *ZZ*STILLWATER     *ZZ*SUNRISEPAYER   *261123*0905*^*00501*000000042*0*P*:",
        "GS*HS*STILLWATER*SUNRISEPAYER*20261123*0905*7*X*005010X279A1",
        "ST*270*0003*005010X279A1",
        "BHT*0022*13*ASK-1*20261123*0905",
        "HL*1**20*1",
        "NM1*PR*2*SUNRISE HEALTH*****PI*00777",
        "HL*2*1*21*1",
        "NM1*1P*2*STILLWATER CLINIC*****XX*1234567893",
        "HL*3*2*22*0",
        "TRN*1*T-1001*9STILLWATE",
        "NM1*IL*1*OKAFOR*ADA****MI*SUN123456",
        "DMG*D8*19850214*F",
        "DTP*291*D8*20261125",
        "EQ*30^MH",
        "SE*13*0003",
        "GE*1*7",
        "IEA*1*000000042",
        "",
    ]


def test_a_dependents_question_names_both_and_traces_the_patient() -> None:
    text = written(asked(dependent=BEN)).decode()
    assert "HL*3*2*22*1~NM1*IL*1*OKAFOR*ADA" in text
    assert (
        "HL*4*3*23*0~TRN*1*T-1001*9STILLWATE~NM1*03*1*OKAFOR*BEN~DMG*D8*20100630~INS*N*19"
        "~DTP*291*RD8*20261125-20261231~EQ*30^MH~" in text
    )


def test_small_letters_and_accents_become_what_x12_can_carry() -> None:
    patient = dataclasses.replace(ADA, last="Ødegård-O’Neill ", first="Zoë", suffix="jr")
    assert b"NM1*IL*1*ODEGARD-O'NEILL*ZOE***JR*MI*SUN123456~" in written(asked(subscriber=patient))


def test_the_isa_is_always_106_characters() -> None:
    raw = written(asked(), sender="A1", receiver="B" * 15, interchange_number=999_999_999)
    assert raw.index(b"~") == 105


CARRIED = st.text(alphabet=string.ascii_uppercase + string.digits + " '-.,/&", min_size=2, max_size=25).map(
    lambda text: text.strip().ljust(2, "X")
)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
SOME = st.none() | CARRIED


@st.composite
def period_lists(draw: st.DrawFn) -> list[Period]:
    periods: list[Period] = []
    for qualifier in draw(st.lists(st.sampled_from(["102", "291"]), unique=True)):
        first, last = sorted((draw(DAYS), draw(DAYS)))
        periods.append(Period(qualifier, first, last if draw(st.booleans()) else None))
    return periods


def references(qualifiers: str, most: int) -> st.SearchStrategy[list[Reference]]:
    return st.lists(
        st.builds(Reference, st.sampled_from(qualifiers.split(" ")), CARRIED, SOME),
        max_size=most,
        unique_by=lambda found: found.qualifier,
    )


ADDRESSES = st.builds(
    lambda lines, place: {"address": lines} | place,
    st.lists(CARRIED, max_size=2),
    st.just({})
    | st.fixed_dictionaries(
        {
            "city": CARRIED,
            "state": st.sampled_from([None, "OR", "NV"]),
            "postal_code": st.sampled_from([None, "97201", "972011234"]),
        }
    ),
)


def people(role: str, relationships: list[str]) -> st.SearchStrategy[Party]:
    number = st.tuples(st.just("MI"), CARRIED)
    return st.builds(
        lambda identity, place, **fields: Party(
            role=role, entity_type="1", id_qualifier=identity[0], id=identity[1], **place, **fields
        ),
        number if role == "IL" else st.just((None, None)) | number,
        ADDRESSES,
        last=CARRIED,
        first=CARRIED,
        middle=SOME,
        suffix=st.none() | st.sampled_from(["JR", "III"]),
        birth_date=st.none() | DAYS,
        gender=st.sampled_from([None, "F", "M"]),
        relationship=st.none() | st.sampled_from(relationships),
        references=references("18 6P SY EJ", 3),
        dates=period_lists(),
    )


PROVIDERS = st.builds(
    lambda place, **fields: Party(entity_type="2", id_qualifier="XX", provider_type="PE", **place, **fields),
    ADDRESSES,
    role=st.sampled_from(["1P", "FA"]),
    last=CARRIED,
    id=CARRIED,
    provider_number_qualifier=st.just("PXC"),
    provider_number=CARRIED,
    references=references("TJ EO", 2),
)
QUESTIONS = st.builds(
    lambda subject, **fields: Question(**subject, **fields),
    st.lists(st.sampled_from(sorted(codes.SERVICE_TYPES_ASKED)), min_size=1, max_size=12, unique=True).map(
        lambda types: {"service_types": types}
    )
    | st.builds(
        lambda code, modifiers: {"procedure": Procedure("HC", code, modifiers)},
        st.sampled_from(["90834", "G2082"]),
        st.lists(st.sampled_from(["95", "GT"]), max_size=4),
    ),
    level=st.sampled_from([None, "IND", "FAM"]),
    circumstances=st.lists(st.builds(Circumstance, st.just("ZZ"), st.sampled_from(["11", "22"])), max_size=1),
    references=references("9F G1", 1),
    dates=st.lists(st.builds(Period, st.just("291"), DAYS), max_size=1),
)
INQUIRIES = st.builds(
    Inquiry,
    st.builds(
        Party, role=st.just("PR"), entity_type=st.just("2"), last=CARRIED, id_qualifier=st.just("PI"), id=CARRIED
    ),
    PROVIDERS,
    people("IL", ["18"]),
    st.none() | people("03", ["01", "19", "34"]),
    st.lists(st.builds(Trace, st.just("1"), CARRIED, st.just("9STILLWATE"), SOME), max_size=2),
    st.lists(QUESTIONS, min_size=1, max_size=3),
)
SEPARATORS = st.builds(
    lambda characters, lines: Separators(*characters[:2], "\n" if lines else characters[2], characters[3]),
    st.permutations(list("*:~^|>\x1c\x1d\x1e\x1f")),
    st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(INQUIRIES, min_size=1, max_size=3), SEPARATORS)
def test_what_is_written_reads_back_the_same(inquiries: list[Inquiry], separators: Separators) -> None:
    raw = write_270(*inquiries, envelope=dataclasses.replace(ENVELOPE, separators=separators))
    (found,) = read(raw).interchanges
    (transaction,) = found.transactions
    assert found.problems == transaction.problems == []
    assert transaction.inquiries == inquiries
    assert (found.sender, found.receiver, found.control_number) == ("STILLWATER", "SUNRISEPAYER", "000000042")
    assert (transaction.control_number, transaction.reference, transaction.created) == (
        "0003",
        "ASK-1",
        date(2026, 11, 23),
    )


def patient(**changes: Any) -> Callable[[], bytes]:
    return lambda: written(asked(subscriber=dataclasses.replace(ADA, **changes)))


def about(*questions: Question) -> Callable[[], bytes]:
    return lambda: written(asked(questions=list(questions)))


@pytest.mark.parametrize(
    ("write", "field"),
    [
        (patient(last="A*B"), "subscriber.last"),
        (patient(last="A~B"), "subscriber.last"),
        (patient(first="A^B"), "subscriber.first"),
        (patient(first="李"), "subscriber.first"),
        (patient(first="A\x07"), "subscriber.first"),
        (patient(first=" "), "subscriber.first"),
        (patient(first=None), "subscriber.first"),
        (patient(last="X" * 61), "subscriber.last"),
        (patient(gender="X"), "subscriber.gender"),
        (patient(role="QC"), "subscriber.role"),
        (patient(prefix="DR"), "subscriber.prefix"),
        (patient(id="1"), "subscriber.id"),
        (patient(id=None), "subscriber.id"),
        (patient(city="SALEM", state="OREGON"), "subscriber.state"),
        (patient(postal_code="97201"), "subscriber.city"),
        (patient(address=["1", "2", "3"]), "subscriber.address"),
        (patient(relationship="01"), "subscriber.relationship"),
        (patient(dates=[Period("346", date(2026, 1, 1))]), "subscriber.dates"),
        (patient(dates=[Period("291", date(2026, 1, 2), date(2026, 1, 1))]), "subscriber.dates"),
        (patient(references=[Reference("ZZ", "1")]), "subscriber.references"),
        (about(), "questions"),
        (about(Question()), "questions"),
        (about(Question(["ZZZ"])), "questions.service_types"),
        (about(Question(["30", "30"])), "questions.service_types"),
        (about(Question(["30"], Procedure("HC", "90834"))), "questions"),
        (about(Question(["30"], circumstances=[Circumstance("ZZ", "00")])), "questions.circumstances"),
        (lambda: written(asked(payer=None)), "payer"),
        (lambda: written(asked(subscriber=None)), "subscriber"),
        (lambda: written(asked(payer=dataclasses.replace(PAYER, city="SALEM"))), "payer.address"),
        (lambda: written(asked(traces=[Trace("1", "T", "SHORT")])), "traces.originator"),
        (lambda: written(asked(traces=[TRACE] * 3)), "traces"),
        (lambda: written(asked(), sender="X" * 16), "envelope.sender"),
        (lambda: written(asked(), interchange_number=1_000_000_000), "envelope.interchange_number"),
        (lambda: written(asked(), usage="X"), "envelope.usage"),
        (lambda: written(asked(), separators=Separators("*", "*", "~", "^")), "separators"),
        (lambda: written(asked(), separators=Separators("A", ":", "~", "^")), "separators.element"),
        (lambda: write_270(envelope=ENVELOPE), "inquiries"),
    ],
)
def test_what_x12_cannot_carry_is_refused_by_field(write: Callable[[], bytes], field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field}\b"):
        write()


def test_a_refusal_never_repeats_what_the_person_is_called() -> None:
    with pytest.raises(ValueError, match="letters, digits") as refused:
        patient(last="KOWALSKI字")()
    assert "KOWALSKI" not in str(refused.value)
