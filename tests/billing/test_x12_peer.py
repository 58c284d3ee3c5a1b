"""Our 270s, put before somebody else's strict model of the same guide: linuxforhealth-x12.

It has no place for an EQ without service types, nor for a second EQ; the guide does, and the clinic asks with neither.
"""

import dataclasses
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from benchmarks.x12 import peers_python
from billing.clinic import load_clinic
from billing.payers.directory import load_payers
from billing.verification.question import Asked, Insured, write
from billing.x12.records import Circumstance, Question, Reference
from tests.billing.test_x12_write import ADA, BEN, PROVIDER, asked, written

SCRIPT = Path(__file__).with_name("linuxforhealth_peer.py")
Peer = Callable[[list[bytes]], list[str | None]]


@pytest.fixture(scope="module")
def peer() -> Peer:
    """Writes questions again as it has understood them; None for one that it refuses."""
    try:
        python = peers_python()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"linuxforhealth-x12 cannot be installed here: {error}")

    def written_again(questions: list[bytes]) -> list[str | None]:
        sent = json.dumps([question.decode() for question in questions])
        return json.loads(
            subprocess.run([python, SCRIPT], input=sent, capture_output=True, text=True, check=True).stdout
        )

    return written_again


def transaction(question: bytes) -> list[str]:
    """ST to SE."""
    return question.decode().split("~")[2:-3]


LIVES = {"address": ["12 QUAY ST", "FLAT 3"], "city": "PORTLAND", "state": "OR", "postal_code": "97201"}
QUESTIONS = {
    "subscriber": written(asked()),
    "dependent": written(asked(dependent=BEN)),
    "service types": written(asked(questions=[Question(["30", "MH", "98", "A6", "UC", "88"])])),
    "place": written(asked(questions=[Question(["MH"], circumstances=[Circumstance("ZZ", "11")])])),
    "address": written(asked(subscriber=dataclasses.replace(ADA, references=[Reference("6P", "GRP-9")], **LIVES))),
    "clinic": written(asked(provider=dataclasses.replace(PROVIDER, references=[Reference("TJ", "123456789")]))),
}


def test_a_strict_reader_takes_our_questions_and_understands_all_of_them(peer: Peer) -> None:
    again = peer(list(QUESTIONS.values()))
    for (name, sent), found in zip(QUESTIONS.items(), again, strict=True):
        assert found is not None, name
        assert found.replace("\n", "").rstrip("~").split("~") == transaction(sent), name


def test_a_strict_reader_takes_what_the_clinic_asks_each_payer(peer: Peer) -> None:
    people = [
        Insured("Ada N. Okafor, Jr.", date(1985, 2, 14), "SUN 123-456"),
        Insured("Ben Okafor", None, "S1", "Ada Okafor"),
    ]
    sent = [
        write(
            Asked(insured, "T-1001", date(2026, 11, 25), ("30", "MH", "98")),
            payer,
            load_clinic(),
            control_number=42,
            at=datetime(2026, 11, 23, 9, 5, tzinfo=UTC),
        )
        for payer in load_payers()
        for insured in people
    ]
    assert sent and None not in peer(sent)


def test_it_refuses_a_broken_one(peer: Peer) -> None:
    whole = QUESTIONS["subscriber"].decode()
    broken = [
        whole.replace("EQ*30^MH", "EQ*NONE"),
        whole.replace("DMG*D8*19850214", "DMG*D8"),
        whole.replace("SE*13*", "SE*14*"),
        whole.replace("*OKAFOR*ADA*", "*OKAFOR**"),
        whole.replace("NM1*PR*", "NM1*QC*"),
    ]
    assert whole not in broken
    assert peer([text.encode() for text in broken]) == [None] * len(broken)
