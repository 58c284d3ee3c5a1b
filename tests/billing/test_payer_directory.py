"""Which payer a card or a person means. Where that is not clear, a person picks."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.payers.directory import BadPayersFile, load_payers

DIRECTORY = load_payers()
NAMES = [name for payer in DIRECTORY for name in (payer.name, *payer.known_as)]


@pytest.mark.parametrize(
    ("said", "payer"),
    [
        ("BCBS of N. Ohio", "00332"),
        ("Anthem BCBS", "00332"),
        ("ANTHEM Blue-Cross/Blue-Shield (OH)", "00332"),
        ("UHC", "87726"),
        ("United", "87726"),
        ("United Health Care Choice Plus PPO", "87726"),
        ("Untied Healthcare", "87726"),
        ("Aetna PPO", "60054"),
        ("Atena", "60054"),
        ("Aetna Better Health of Ohio", "60054"),
        ("Med Mutual of OH", "29076"),
        ("Humana Gold Plus HMO", "61101"),
        ("60054", "60054"),
    ],
)
def test_a_payer_is_known_by_what_cards_say_and_people_type(said: str, payer: str) -> None:
    found = DIRECTORY.recognise(said)
    assert found.payer is not None and found.payer.id == payer
    assert found.confidence >= 0.85


@pytest.mark.parametrize(
    "said",
    [
        "blue cross",
        "BCBS",
        "BCBS of Michigan",
        "Anthem Blue Cross of California",
        "Highmark Blue Cross Blue Shield",
        "Mutual of Omaha",
        "United of Omaha",
        "Aetna or Cigna",
        "Medicare",
        "Ohio",
        "The Health Plan",
        "",
        "???",
    ],
)
def test_what_could_be_another_payer_is_for_a_person_to_pick(said: str) -> None:
    found = DIRECTORY.recognise(said)
    assert found.payer is None


def test_the_person_picks_from_the_nearest() -> None:
    assert "00332" in [payer.id for payer in DIRECTORY.recognise("blue cross").nearest]
    assert {"60054", "62308"} <= {payer.id for payer in DIRECTORY.recognise("Aetna or Cigna").nearest}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_the_file_means_its_own_payer(name: str) -> None:
    assert DIRECTORY.recognise(name).payer is not None
    assert DIRECTORY.recognise(name.upper() + ", Inc.").payer == DIRECTORY.recognise(name).payer


@given(st.text(max_size=80))
def test_whatever_is_said_there_is_an_answer(said: str) -> None:
    found = DIRECTORY.recognise(said)
    assert 0 <= found.confidence <= 1
    assert len(found.nearest) <= 3


def test_how_far_ahead_a_payer_answers() -> None:
    cigna, humana = DIRECTORY.get("62308"), DIRECTORY.get("61101")
    assert cigna and humana
    assert cigna.last_day(date(2028, 2, 1)) == date(2028, 2, 29)
    assert cigna.opens_for(date(2027, 4, 6)) == date(2027, 4, 1)
    assert humana.last_day(date(2027, 12, 20)) == date(2028, 1, 19)
    assert humana.opens_for(humana.last_day(date(2027, 12, 20))) == date(2027, 12, 20)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("answers_ahead: 90", "answers_ahead: never"), "answers_ahead"),
        (('id: "60054"', 'id: "62308"'), "62308 stands there twice"),
        (('asks: ["30", "MH", "98"]', 'asks: ["ZZZ"]'), "ZZZ is no service type"),
        (("region: [ohio]", "region: [atlantis]"), "atlantis"),
        (("sure_from: 0.85", "sure_from: 7"), "sure_from"),
        (("payers:", "payers: []\nmore:"), "payers"),
    ],
)
def test_a_payers_file_with_a_fault_says_where(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    own = Path(__file__).parents[2] / "services/billing/billing/payers/payers.yaml"
    file = tmp_path / "payers.yaml"
    file.write_text(own.read_text().replace(*change, 1))
    with pytest.raises(BadPayersFile, match=complaint):
        load_payers(file)
